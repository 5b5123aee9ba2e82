#include "verify/report/form.h"

#include "base/encoding.h"
#include "codec/json.h"

namespace cloister::verify {
namespace {

Error bad_member(std::string_view name, const std::string& what) {
  return fail(ErrorCode::kBadReport, std::string(name) + ": " + what, std::string(name));
}

// Absent and null mean the same; "" is a value.
const Json* find_member(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::optional<std::string>> optional_text(const Json& object, std::string_view name) {
  const Json* member = find_member(object, name);
  if (member == nullptr) return std::optional<std::string>();
  if (!member->is_string()) return bad_member(name, std::string("expected a string, found ") + member->type_name());
  return std::optional(member->get<std::string>());
}

Result<std::string> required_text(const Json& object, std::string_view name) {
  TRY(text, optional_text(object, name));
  if (!text) return bad_member(name, "missing");
  return *std::move(text);
}

Result<Bytes> hex_bytes(std::string_view name, const std::string& text) {
  Result<Bytes> bytes = from_hex(text);
  if (!bytes) return bad_member(name, bytes.error().message);
  return bytes;
}

Result<ByteArray<32>> hex32(std::string_view name, const std::string& text) {
  Result<ByteArray<32>> bytes = from_hex_exactly<32>(text);
  if (!bytes) return bad_member(name, bytes.error().message);
  return bytes;
}

Result<Bytes> read_quote(const Json& object) {
  TRY(text, required_text(object, "intel_quote"));
  TRY(quote, hex_bytes("intel_quote", text));
  TRY(twin, optional_text(object, "quote"));
  if (twin) {
    TRY(twin_bytes, hex_bytes("quote", *twin));
    if (twin_bytes != quote) return bad_member("quote", "is not the same as intel_quote");
  }
  return quote;
}

// A string that holds JSON, or the JSON itself.
Result<std::optional<std::string>> read_payload(const Json& object) {
  const Json* member = find_member(object, "nvidia_payload");
  if (member == nullptr) return std::optional<std::string>();
  if (member->is_object()) return std::optional(codec::write_json(*member));
  TRY(text, optional_text(object, "nvidia_payload"));
  return text->empty() ? std::optional<std::string>() : text;
}

}  // namespace

bool ServedReport::same_evidence(const ServedReport& other) const {
  return signing_address == other.signing_address && signing_algo == other.signing_algo &&
         signing_public_key == other.signing_public_key && request_nonce == other.request_nonce &&
         quote == other.quote && nvidia_payload == other.nvidia_payload && tee_type == other.tee_type &&
         tls_cert_fingerprint == other.tls_cert_fingerprint;
}

Result<ServedReport> parse_served_report(const Json& object) {
  if (!object.is_object()) {
    return fail(ErrorCode::kBadReport, std::string("expected an object, found ") + object.type_name());
  }
  ServedReport report;
  TRY(address, required_text(object, "signing_address"));
  report.signing_address = std::move(address);
  TRY(algo_text, required_text(object, "signing_algo"));
  const Result<evidence::SigningAlgo> algo = evidence::parse_signing_algo(algo_text);
  if (!algo) return bad_member("signing_algo", algo.error().message);
  report.signing_algo = *algo;
  TRY(public_key, optional_text(object, "signing_public_key"));
  report.signing_public_key = std::move(public_key);
  TRY(nonce_text, required_text(object, "request_nonce"));
  TRY(nonce, hex32("request_nonce", nonce_text));
  report.request_nonce = nonce;
  TRY(quote, read_quote(object));
  report.quote = std::move(quote);
  TRY(payload, read_payload(object));
  report.nvidia_payload = std::move(payload);
  TRY(tee_type, optional_text(object, "tee_type"));
  report.tee_type = std::move(tee_type);
  TRY(fingerprint_text, optional_text(object, "tls_cert_fingerprint"));
  if (fingerprint_text) {
    TRY(fingerprint, hex32("tls_cert_fingerprint", *fingerprint_text));
    report.tls_cert_fingerprint = fingerprint;
  }
  TRY(boot, evidence::read_boot_evidence(object));
  report.boot = std::move(boot);
  return report;
}

}  // namespace cloister::verify
