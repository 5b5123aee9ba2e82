// The report of ACI (`aci/1`, section 4): the quote binds the keyset and the client's nonce.
#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/aci/receipt.h"
#include "evidence/event_log.h"
#include "evidence/json_reader.h"
#include "evidence/statement.h"
#include "reports/forms/forms.h"

namespace cloister::reports {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json provenance(const SourceProvenance& source) {
  Json out = {{"repo_url", text_or_null(source.repo_url)},
              {"repo_commit", text_or_null(source.repo_commit)},
              {"image_digest", text_or_null(source.image_digest)},
              {"image_provenance", nullptr}};
  if (source.executable) {
    out["image_provenance"] = {{"executable", evidence::digest_text(*source.executable)},
                               {"version", CLOISTER_VERSION}};
  }
  return out;
}

// In the form of a dstack deployment (ACI section 4.2): logs and documents are texts.
Json evidence_json(const ReportParts& parts, const identity::Epoch& epoch, const TeeEvidence& tee,
                   const evidence::ReportData& report_data) {
  Json out = {
      {"quote", to_hex(tee.quote)}, {"quote_report_data", to_hex(report_data)}, {"vm_config", tee.info.vm_config}};
  if (!tee.events.empty()) out["event_log"] = codec::write_json(evidence::event_log_json(tee.events));
  const auto tcb_info = tee.info.info.find("tcb_info");
  if (tcb_info != tee.info.info.end() && tcb_info->is_object() && tcb_info->contains("app_compose")) {
    out["app_compose"] = (*tcb_info)["app_compose"];
  }
  const auto certificates = tee.info.info.find("snp_certificate_table");
  if (certificates != tee.info.info.end()) out["info"] = {{"snp_certificate_table", *certificates}};
  if (epoch.tls_spki_sha256 && epoch.tls_key_origin == evidence::TlsKeyOrigin::kBorn) {
    out["downstream_tls_binding"] = {{"spki_sha256", to_hex(*epoch.tls_spki_sha256)}};
  }
  // The event log names its digest: whoever asks for this form verifies the configuration too.
  if (!epoch.policy.is_null()) out["cloister_policy"] = epoch.policy;
  add_custody(parts.keyring, out);
  add_boot_table(tee, out);
  return out;
}

}  // namespace

Result<std::string> make_aci_report(const ReportParts& parts, const ReportQuery& query, const identity::Epoch& epoch) {
  const std::string statement = evidence::aci_statement(epoch.keyset_digest, query.nonce);
  const evidence::ReportData report_data = evidence::statement_report_data(statement);
  TRY(tee, collect_tee(parts.tee, report_data, parts.metrics));
  TRY(keyset, codec::parse_json(epoch.keyset));
  const Json report = {
      {"api_version", evidence::kAciVersion},
      {"workload_keyset_digest", epoch.keyset_digest_text},
      {"attestation",
       {{"tee_type", wire_tee_type(parts.tee)},
        {"workload_keyset", std::move(keyset)},
        {"report_data", to_hex(ByteView(report_data).first(32))},
        {"source_provenance", provenance(parts.source)},
        {"evidence", evidence_json(parts, epoch, tee, report_data)}}},
      {"service_capabilities",
       {{"supported_e2ee_versions", Json::array()}, {"serving", parts.serves_itself ? "direct" : "aggregator"}}}};
  return codec::write_json(report);
}

}  // namespace cloister::reports
