#include "collateral/evidence_scan.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/snp_report.h"
#include "codec/tdx_quote.h"
#include "evidence/gpu_evidence.h"
#include "verify/quote.h"

namespace cloister::collateral {
namespace {

constexpr std::size_t kMostBytes = 16u << 20;  // of a report: a larger one is not verified
constexpr std::size_t kMostOfAKind = 64;
constexpr std::size_t kMostDevices = 256;
// Each costs as much as its text is long, and such texts may be nested.
constexpr std::size_t kMostRefused = 16;
constexpr int kMostTextLevels = 3;
// Hex or base64 of the smallest quote with a certificate chain is much longer than this; names and digests are shorter.
constexpr std::size_t kLeastQuoteText = 1000;
constexpr std::size_t kSnpBase64Size = (codec::kSnpReportSize + 2) / 3 * 4;

class Scan {
 public:
  // `level` counts the texts within texts. The parser bounds the depth of one text.
  void look_into(std::string_view text, int level) {
    const auto json = codec::parse_json(text, {kMostBytes, 64, 1u << 20});
    if (json) look_at(*json, level);
  }
  Evidence take() { return std::move(found_); }

 private:
  void look_at(const Json& value, int level) {
    if (value.is_string()) return look_at_text(value.get_ref<const std::string&>(), level);
    if (!value.is_structured()) return;
    if (take_devices(value)) return;
    for (const Json& item : value) look_at(item, level);
  }

  void look_at_text(const std::string& text, int level) {
    if (text.starts_with('{') || text.starts_with('[')) {
      if (level < kMostTextLevels) look_into(text, level + 1);
    } else if (text.size() >= kLeastQuoteText) {
      if (!take_snp_report(text)) take_quote(text);
    }
  }

  // The forms of NVIDIA's payload: an object with a list, or the bare list of the SDK.
  bool take_devices(const Json& value) {
    const bool may_be = value.is_object()
                            ? value.contains("evidence_list")
                            : !value.empty() && value.front().is_object() && value.front().contains("evidence") &&
                                  value.front().contains("certificate");
    if (!may_be || refused_ >= kMostRefused) return false;
    auto payload = evidence::parse_nvidia_payload(codec::write_json(value));
    if (!payload) {
      ++refused_;
      return false;
    }
    if (found_.gpu_nonce_hex.empty()) found_.gpu_nonce_hex = payload->nonce_hex;
    for (evidence::GpuEvidence& device : payload->evidence_list) {
      if (found_.devices.size() < kMostDevices) found_.devices.push_back(std::move(device));
    }
    return true;
  }

  bool take_snp_report(const std::string& text) {
    const bool hex = text.size() == 2 * codec::kSnpReportSize;
    if (!hex && text.size() != kSnpBase64Size) return false;
    auto bytes = hex ? from_hex(text) : from_base64(text);
    if (!bytes || !codec::parse_snp_report(*bytes)) return false;
    std::vector<Bytes>& known = found_.snp_reports;
    const bool add = known.size() < kMostOfAKind && std::ranges::find(known, *bytes) == known.end();
    if (add) known.push_back(*std::move(bytes));
    return true;
  }

  void take_quote(const std::string& text) {
    if (found_.quotes.size() >= kMostOfAKind) return;
    auto bytes = verify::read_quote_text(text);
    if (!bytes || !codec::parse_tdx_quote(*bytes)) return;
    if (std::ranges::find(found_.quotes, *bytes) == found_.quotes.end()) found_.quotes.push_back(*std::move(bytes));
  }

  Evidence found_;
  std::size_t refused_ = 0;
};

}  // namespace

Evidence find_evidence(std::string_view report_json) {
  Scan scan;
  scan.look_into(report_json, 1);
  return scan.take();
}

}  // namespace cloister::collateral
