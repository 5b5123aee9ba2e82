#include "evidence/aci/report.h"

#include "evidence/aci/receipt.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReport;

Json copy_or_null(const Json* member) { return member == nullptr ? Json() : *member; }

Result<void> read_evidence(const JsonReader& reader, AciReport& report) {
  TRY(quote, reader.hex("quote"));
  report.quote = std::move(quote);
  if (reader.find("quote_report_data") != nullptr) {
    TRY(data, reader.hex("quote_report_data"));
    report.quote_report_data = std::move(data);
  }
  TRY(binding, reader.optional_object("downstream_tls_binding"));
  if (binding != nullptr) {
    const JsonReader tls(*binding, kCode, "attestation.evidence.downstream_tls_binding.");
    TRY(spki_sha256, tls.hash("spki_sha256"));
    TRY(domain, tls.optional_text("domain"));
    report.downstream_tls_binding = TlsKey{spki_sha256, std::move(domain)};
  }
  return {};
}

Result<void> read_attestation(const JsonReader& reader, AciReport& report) {
  TRY_VOID(reader.only({"tee_type", "workload_keyset", "report_data", "source_provenance", "evidence"}));
  TRY(tee_type, reader.text("tee_type"));
  report.tee_type = std::move(tee_type);
  TRY(keyset_object, reader.object("workload_keyset"));
  TRY(keyset, parse_keyset(*keyset_object));
  report.keyset = std::move(keyset);
  TRY(report_data, reader.hex("report_data"));
  report.report_data = std::move(report_data);
  TRY(provenance, reader.optional_object("source_provenance"));
  report.source_provenance = copy_or_null(provenance);
  TRY(evidence, reader.object("evidence"));
  report.evidence = *evidence;
  return read_evidence(JsonReader(*evidence, kCode, "attestation.evidence."), report);
}

}  // namespace

Result<AciReport> parse_aci_report(const Json& object) {
  const JsonReader reader(object, kCode);
  TRY_VOID(reader.only({"api_version", "workload_keyset_digest", "attestation", "service_capabilities"}));
  TRY(version, reader.text("api_version"));
  if (version != kAciVersion) return reader.bad("api_version", "expected aci/1");
  AciReport report;
  TRY(keyset_digest, reader.digest("workload_keyset_digest"));
  report.keyset_digest = keyset_digest;
  TRY(attestation, reader.object("attestation"));
  TRY_VOID(read_attestation(JsonReader(*attestation, kCode, "attestation."), report));
  TRY(capabilities, reader.object("service_capabilities"));
  TRY(serving, JsonReader(*capabilities, kCode, "service_capabilities.").text("serving"));
  report.serving = std::move(serving);
  return report;
}

}  // namespace cloister::evidence
