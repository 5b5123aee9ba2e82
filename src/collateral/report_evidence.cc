#include "collateral/report_evidence.h"

#include <algorithm>

#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "verify/quote.h"

namespace cloister::collateral {
namespace {

constexpr std::size_t kMostQuotes = 16;
constexpr std::size_t kMostDevices = 64;
constexpr codec::JsonLimits kLimits = {64u << 20, 32, 1u << 20};

void add_quote(const std::string& text, Evidence& out) {
  if (out.quotes.size() == kMostQuotes) return;
  Result<Bytes> quote = verify::read_quote_text(text);
  if (!quote || !codec::parse_tdx_quote(*quote)) return;
  if (std::find(out.quotes.begin(), out.quotes.end(), *quote) == out.quotes.end()) out.quotes.push_back(std::move(*quote));
}

bool add_payload(std::string_view text, Evidence& out) {
  Result<evidence::NvidiaPayload> payload = evidence::parse_nvidia_payload(text);
  if (!payload) return false;
  if (out.gpu_nonce_hex.empty()) out.gpu_nonce_hex = payload->nonce_hex;
  for (evidence::GpuEvidence& device : payload->evidence_list) {
    if (out.devices.size() < kMostDevices) out.devices.push_back(std::move(device));
  }
  return true;
}

// The depth is bounded by the parser.
void walk(const Json& value, Evidence& out) {
  for (const auto& [name, member] : value.items()) {
    if (member.is_structured()) {
      walk(member, out);
    } else if (member.is_string() && (name == "intel_quote" || name == "quote")) {
      add_quote(member.get_ref<const std::string&>(), out);
    } else if (member.is_string() && name == "nvidia_payload") {
      add_payload(member.get_ref<const std::string&>(), out);
    }
  }
}

}  // namespace

Evidence evidence_of_report(std::string_view json_text) {
  Evidence out;
  if (add_payload(json_text, out)) return out;
  if (const Result<Json> value = codec::parse_json(json_text, kLimits); value && value->is_structured()) walk(*value, out);
  return out;
}

}  // namespace cloister::collateral
