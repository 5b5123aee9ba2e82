#include "verify/quote.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/encoding.h"
#include "codec/tdx_quote.h"
#include "verify/check.h"
#include "verify/policy/rules.h"
#include "verify/tee.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostFileBytes = 1 << 20;
constexpr std::size_t kVendorIdOffset = 12;

// One sign of two is enough (version and key type, or vendor id), so that a damaged quote still counts as a quote.
bool looks_like_quote(ByteView bytes) {
  if (bytes.size() < codec::kQuoteHeaderSize) return false;
  const bool version = bytes[0] >= 3 && bytes[0] <= 5 && bytes[1] == 0;
  const bool key_type = (bytes[2] == 2 || bytes[2] == 3) && bytes[3] == 0;
  const ByteView vendor = bytes.subspan(kVendorIdOffset, codec::kIntelQeVendorId.size());
  return (version && key_type) || equal(vendor, codec::kIntelQeVendorId);
}

std::string without_space(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return out;
}

// A bare quote has no report with a nonce: only report data of the verifier's own shows whom the quote answers, and when.
void ask_for_report_data(const Policy& policy, Verdict& verdict) {
  const auto named = std::ranges::find(verdict.checks, "tee.report_data", &Check::id);
  if (named == verdict.checks.end() || named->state != State::kNotApplicable) return;
  *named = skipped("tee.report_data", "the verifier gave no report data (--report-data): the quote may be old",
                   policy.require_nonce);
}

// A file that somebody gave with the quote and that nothing was compared with must be mentioned.
void name_files_without_log(const evidence::BootEvidence& boot, Verdict& verdict) {
  if (boot.event_log) return;
  const std::pair<const char*, bool> files[] = {{"boot.compose_hash", boot.app_compose.has_value()},
                                                {"boot.vm_config", boot.vm_config.has_value()}};
  for (const auto& [id, given] : files) {
    const auto check = std::ranges::find(verdict.checks, id, &Check::id);
    if (!given || check == verdict.checks.end() || check->state != State::kNotApplicable) continue;
    *check = skipped(
        id,
        "the text was given without the event log that names what was measured (--event-log): it was compared with nothing");
  }
}

}  // namespace

Verdict verify_quote(ByteView quote, const Context& context, const evidence::BootEvidence& boot) {
  Verdict verdict;
  verdict.subject = "quote";
  judge_tdx(quote, boot, context, verdict);
  ask_for_report_data(context.policy, verdict);
  name_files_without_log(boot, verdict);
  require_rules(context.policy, verdict);
  return verdict;
}

Result<Bytes> read_quote_text(std::string_view file) {
  if (file.size() > kMostFileBytes) {
    return fail(ErrorCode::kTooLarge, "expected a quote of at most " + std::to_string(kMostFileBytes) + " bytes, got " +
                                          std::to_string(file.size()));
  }
  if (looks_like_quote(as_bytes(file))) return to_bytes(as_bytes(file));
  const std::string text = without_space(file);
  const std::string_view digits = text.starts_with("0x") ? std::string_view(text).substr(2) : std::string_view(text);
  for (const auto& decode : {from_hex, from_base64}) {
    Result<Bytes> bytes = decode(decode == from_hex ? digits : std::string_view(text));
    if (bytes && looks_like_quote(*bytes)) return bytes;
  }
  return fail(ErrorCode::kBadQuote, "expected a quote as bytes, hex or base64: nothing here begins as a quote does");
}

}  // namespace cloister::verify
