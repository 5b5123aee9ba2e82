#include "verify/quote.h"

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "codec/tdx_quote.h"
#include "verify/policy/rules.h"
#include "verify/tee.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostFileBytes = 1 << 20;
constexpr std::size_t kVendorIdOffset = 12;

// attestation.md section 2.1. One sign of two is enough, so that a damaged quote is still judged as one.
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

}  // namespace

Verdict verify_quote(ByteView quote, const Context& context, const evidence::BootEvidence& boot) {
  Verdict verdict;
  verdict.subject = "quote";
  judge_tdx(quote, boot, context, verdict);
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
