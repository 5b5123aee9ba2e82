// The legacy report, which today's verifiers ask for
// (docs/spec/legacy-proof.md).
#include <future>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/keyset.h"
#include "evidence/event_log.h"
#include "reports/forms/forms.h"

namespace cloister::reports {
namespace {

evidence::Nonce random_nonce() {
  evidence::Nonce nonce;
  crypto::fill_random(nonce);
  return nonce;
}

evidence::ReportData bind(const ReportParts& parts, const ReportQuery& query, const identity::Epoch& epoch,
                          const evidence::Nonce& nonce) {
  const Bytes identity = parts.keyring.identity(query.algo);
  if (!query.include_tls_fingerprint) return evidence::report_data_l1(identity, nonce);
  return evidence::report_data_l2(identity, *epoch.tls_spki_sha256, nonce);
}

// The report of this node alone.
Result<Json> own_item(const ReportParts& parts, const ReportQuery& query, const identity::Epoch& epoch,
                      const evidence::Nonce& nonce) {
  const evidence::ReportData report_data = bind(parts, query, epoch, nonce);
  TRY(tee, collect_tee(parts.tee, report_data, parts.metrics));
  // The same nonce as the quote's, since today's verifiers compare it.
  TRY(gpu, collect_gpu(parts.gpu, parts.gpu_optional, nonce));
  Json item = Json::object();
  item["model_name"] = parts.model_name();
  item["tee_type"] = parts.tee.type();
  item["signing_address"] = parts.keyring.signing_address(query.algo);
  item["signing_algo"] = evidence::to_text(query.algo);
  item["signing_public_key"] = parts.keyring.signing_public_key(query.algo);
  item["request_nonce"] = to_hex(nonce);
  item["report_data"] = to_hex(report_data);
  item["intel_quote"] = to_hex(tee.quote);
  item["quote"] = item["intel_quote"];
  item["nvidia_payload"] = gpu.payload ? Json(std::move(*gpu.payload)) : Json(nullptr);
  if (!gpu.error.empty()) item["gpu_evidence_error"] = gpu.error;
  // A TEE without a log is not one that has logged nothing: an empty list would claim registers that were never extended.
  item["event_log"] = tee.events.empty() ? Json(nullptr) : evidence::event_log_json(tee.events);
  item["vm_config"] = tee.info.vm_config;
  // The event log names its digest: whoever asks for this form verifies the configuration too, and where the TLS key was made.
  if (!epoch.policy.is_null()) item["cloister_policy"] = epoch.policy;
  add_custody(parts.keyring, item);
  add_boot_table(tee, item);
  item["info"] = std::move(tee.info.info);
  if (query.include_tls_fingerprint) item["tls_cert_fingerprint"] = to_hex(*epoch.tls_spki_sha256);
  if (epoch.tls_spki_sha256) item["tls_key_origin"] = evidence::to_text(epoch.tls_key_origin);
  return item;
}

}  // namespace

Result<std::string> make_legacy_report(const ReportParts& parts, const ReportQuery& query,
                                       const identity::Epoch& epoch) {
  const evidence::Nonce nonce = query.nonce ? *query.nonce : random_nonce();
  const bool ask_replicas = parts.replicas != nullptr && query.with_replicas;
  std::future<Replicas::Answers> others;
  if (ask_replicas) others = std::async(std::launch::async, [&] { return parts.replicas->ask(query, nonce); });
  Result<Json> item = own_item(parts, query, epoch, nonce);
  Replicas::Answers answers;
  if (ask_replicas) answers = others.get();
  if (!item) return item.error();

  Json report = *item;
  report["all_attestations"] = Json::array({std::move(*item)});
  for (Json& other : answers.reports) report["all_attestations"].push_back(std::move(other));
  if (ask_replicas) {
    report["replicas_unreachable"] = answers.unreachable;
    if (parts.metrics != nullptr) parts.metrics->count_unreachable_replicas(answers.unreachable);
  }
  return codec::write_json(report);
}

}  // namespace cloister::reports
