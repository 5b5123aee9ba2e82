#include "verify/report/form.h"

#include "evidence/aci/keyset.h"
#include "evidence/json_reader.h"
#include "verify/report/node_policy.h"

namespace cloister::verify {
namespace {

using evidence::JsonReader;

Result<Bytes> read_quote(const JsonReader& reader) {
  TRY(quote, reader.hex("intel_quote"));
  if (reader.find("quote") == nullptr) return quote;
  TRY(twin, reader.hex("quote"));
  if (twin != quote) return reader.bad("quote", "is not the same as intel_quote");
  return quote;
}

}  // namespace

bool ServedReport::same_evidence(const ServedReport& other) const {
  return signing_address == other.signing_address && signing_algo == other.signing_algo &&
         signing_public_key == other.signing_public_key && request_nonce == other.request_nonce &&
         quote == other.quote && nvidia_payload == other.nvidia_payload && tee_type == other.tee_type &&
         tls_cert_fingerprint == other.tls_cert_fingerprint && tls_key_given == other.tls_key_given &&
         node_policy == other.node_policy && tls_policy == other.tls_policy;
}

Result<ServedReport> parse_served_report(const Json& object) {
  const JsonReader reader(object, ErrorCode::kBadReport);
  TRY_VOID(reader.is_object());
  ServedReport report;
  TRY(address, reader.text("signing_address"));
  report.signing_address = std::move(address);
  TRY(algo_text, reader.text("signing_algo"));
  const Result<evidence::SigningAlgo> algo = evidence::parse_signing_algo(algo_text);
  if (!algo) return reader.bad("signing_algo", algo.error().message);
  report.signing_algo = *algo;
  TRY(public_key, reader.optional_text("signing_public_key"));
  report.signing_public_key = std::move(public_key);
  TRY(nonce, reader.hex32("request_nonce"));
  report.request_nonce = nonce;
  TRY(quote, read_quote(reader));
  report.quote = std::move(quote);
  TRY(payload, reader.optional_json_text("nvidia_payload", Json::value_t::object));
  if (payload && !payload->empty()) report.nvidia_payload = std::move(payload);
  TRY(tee_type, reader.optional_text("tee_type"));
  report.tee_type = std::move(tee_type);
  if (reader.find("tls_cert_fingerprint") != nullptr) {
    TRY(fingerprint, reader.hex32("tls_cert_fingerprint"));
    report.tls_cert_fingerprint = fingerprint;
  }
  // Cloister's own members. Another service may have other members of these names.
  const Json* origin = reader.find("tls_key_origin");
  report.tls_key_given = origin != nullptr && *origin == evidence::to_text(evidence::TlsKeyOrigin::kGiven);
  TRY(boot, evidence::read_boot_evidence(object));
  report.boot = std::move(boot);
  const Json* document = reader.find(kPolicyMember);
  if (document != nullptr) report.node_policy = *document;
  const Json* beside_key = document != nullptr ? document : reader.find("policy");
  if (beside_key != nullptr && beside_key->is_object()) report.tls_policy = *beside_key;
  return report;
}

}  // namespace cloister::verify
