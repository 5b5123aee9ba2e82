// Cloister's own report (docs/spec/native-report.md): the quote binds keyset, GPU evidence, model and policy; the GPU
// evidence binds the keyset.
#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/event_log.h"
#include "evidence/json_reader.h"
#include "evidence/known_answers_result.h"
#include "evidence/native_report.h"
#include "evidence/statement.h"
#include "reports/forms/forms.h"

namespace cloister::reports {
namespace {

Json digest_or_null(const std::optional<ByteArray<32>>& digest) {
  return digest ? Json(evidence::digest_text(*digest)) : Json(nullptr);
}

Json statement_json(const evidence::NativeStatement& statement) {
  return {{"gpu_evidence_digest", digest_or_null(statement.gpu_evidence_digest)},
          {"keyset_digest", evidence::digest_text(statement.keyset_digest)},
          {"model_digest", digest_or_null(statement.model_digest)},
          {"nonce", to_hex(statement.nonce)},
          {"policy_digest", digest_or_null(statement.policy_digest)},
          {"purpose", evidence::kNativePurpose}};
}

// The report itself holds log and compose text, once.
void add_boot(const ReportParts& parts, TeeEvidence& tee, Json& report) {
  if (!tee.events.empty()) report["event_log"] = evidence::event_log_json(tee.events);
  const auto tcb_info = tee.info.info.find("tcb_info");
  if (tcb_info != tee.info.info.end() && tcb_info->is_object()) {
    tcb_info->erase("event_log");
    if (tcb_info->contains("app_compose")) {
      report["app_compose"] = (*tcb_info)["app_compose"];
      tcb_info->erase("app_compose");
    }
  }
  report["vm_config"] = tee.info.vm_config;
  report["info"] = std::move(tee.info.info);
  add_custody(parts.keyring, report);
  add_boot_table(tee, report);
}

Result<void> add_known_answers(const ReportParts& parts, const identity::Epoch& epoch, Json& report) {
  const auto results = parts.known_answers ? parts.known_answers() : std::nullopt;
  if (!results || results->empty()) return {};
  const auto sign = [&](std::string_view canonical) { return parts.keyring.sign_receipt(canonical); };
  TRY(signed_results, evidence::sign_known_answers(*results, epoch.receipt_key_id, sign));
  report[std::string(evidence::kKnownAnswersMember)] = std::move(signed_results);
  return {};
}

}  // namespace

Result<std::string> make_native_report(const ReportParts& parts, const ReportQuery& query,
                                       const identity::Epoch& epoch) {
  evidence::NativeStatement statement;
  if (query.nonce) {
    statement.nonce = *query.nonce;
  } else {
    crypto::fill_random(statement.nonce);
  }
  statement.keyset_digest = epoch.keyset_digest;
  statement.model_digest = epoch.model_digest;
  statement.policy_digest = epoch.policy_digest;
  // The GPUs come first, because the quote holds their answers' digest.
  TRY(gpu, collect_gpu(parts.gpu, parts.gpu_optional, evidence::gpu_nonce(epoch.keyset_digest, statement.nonce)));
  if (gpu.payload) statement.gpu_evidence_digest = crypto::sha256(as_bytes(*gpu.payload));
  const std::string text = evidence::native_statement(statement);
  TRY(tee, collect_tee(parts.tee, evidence::statement_report_data(text), parts.metrics));
  TRY(keyset, codec::parse_json(epoch.keyset));

  Json report = {{"api_version", evidence::kNativeVersion},
                 {"tee_type", wire_tee_type(parts.tee)},
                 {"statement", statement_json(statement)},
                 {"keyset", std::move(keyset)},
                 {"quote", to_hex(tee.quote)},
                 {"nvidia_payload", gpu.payload ? Json(std::move(*gpu.payload)) : Json(nullptr)},
                 {"model", epoch.model},
                 {"policy", epoch.policy}};
  TRY_VOID(add_known_answers(parts, epoch, report));
  if (!gpu.error.empty()) report["gpu_evidence_error"] = gpu.error;
  add_boot(parts, tee, report);
  return codec::write_json(report);
}

}  // namespace cloister::reports
