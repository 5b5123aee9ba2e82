#include "tests/simulator/simulated_service.h"

#include <cstdlib>
#include <utility>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/keyset.h"
#include "evidence/gpu_evidence.h"
#include "evidence/json_reader.h"
#include "evidence/measured_events.h"
#include "evidence/native_report.h"

namespace cloister::testing {
namespace {

// Unwraps a step of the set-up that cannot fail on a healthy machine.
template <typename T>
T must(Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

std::string digest_of(std::string_view bytes) { return evidence::digest_text(crypto::sha256(as_bytes(bytes))); }

ByteArray<32> keyset_digest(const Json& keyset) { return must(evidence::document_digest(keyset)); }

verify::Policy lenient() {
  verify::Policy policy;
  policy.accept_simulator = true;
  return policy;
}

}  // namespace

SimulatedService::SimulatedService(const SimulatedNode& node)
    : node_(node), receipt_key_(must(crypto::Ed25519Key::from_seed(must(node.tee().derive_key("receipt")).expose()))) {}

Json SimulatedService::keyset() const {
  return {
      {"subject", nullptr},
      {"not_after", kNotAfter},
      {"receipt_signing_keys",
       Json::array({{{"key_id", "receipt-1"}, {"algo", "ed25519"}, {"public_key", to_hex(receipt_key_.public_key())}},
                    {{"key_id", "legacy-1"},
                     {"algo", evidence::kLegacyEd25519Algo},
                     {"public_key", node_.address(evidence::SigningAlgo::kEd25519)}}})},
      {"e2ee_public_keys",
       Json::array(
           {{{"key_id", "e2ee-1"}, {"algo", "x25519-aes-256-gcm-hkdf-sha256"}, {"public_key", std::string(64, 'e')}},
            {{"key_id", "tls-1"}, {"algo", evidence::kTlsBornAlgo}, {"public_key", std::string(64, 'c')}}})},
      {"tls_public_keys", Json::array({{{"spki_sha256", std::string(64, 'c')}, {"domain", "api.example.com"}}})}};
}

Json SimulatedService::model() const { return {{"name", "demo"}, {"weights", "sha256:" + std::string(64, '1')}}; }
Json SimulatedService::policy() const {
  return {{"schema", "cloister.policy.v1"},
          {"listen", {{"address", "127.0.0.1"}, {"port", 8080}, {"tls", "none"}, {"token_required", false}}},
          {"engine",
           {{"kind", "llama"}, {"serving", "direct"}, {"shared_prompt_cache", false}, {"upstreams", Json::array()}}},
          {"tee", "insecure_simulator"},
          {"gpu", {{"evidence", "insecure_simulator"}, {"library", nullptr}, {"required", true}}},
          {"logging", {{"content", "never"}}}};
}

Json SimulatedService::aci_report_around(const Json& keyset, const evidence::ReportData& report_data) const {
  const std::string data = to_hex(report_data);
  const tee::TeeInfo info = must(node_.tee().info());
  return {{"api_version", "aci/1"},
          {"workload_keyset_digest", evidence::digest_text(keyset_digest(keyset))},
          {"attestation",
           {{"tee_type", node_.tee().type()},
            {"workload_keyset", keyset},
            {"report_data", data.substr(0, 64)},
            {"source_provenance",
             {{"repo_url", "https://example.com/repo"}, {"repo_commit", nullptr}, {"image_digest", nullptr}}},
            {"evidence",
             {{"quote", to_hex(must(node_.tee().quote(report_data)))},
              {"quote_report_data", data},
              {"event_log", evidence::event_log_json(must(node_.tee().event_log()))},
              {"info", info.info},
              {"vm_config", info.vm_config},
              {"cloister_policy", policy()}}}}},
          {"service_capabilities", {{"supported_e2ee_versions", Json::array({"2"})}, {"serving", "direct"}}}};
}

Json SimulatedService::aci_report(const std::optional<evidence::Nonce>& nonce) const {
  const Json keys = keyset();
  return aci_report_around(keys, evidence::statement_report_data(evidence::aci_statement(keyset_digest(keys), nonce)));
}

void SimulatedService::measure(std::string_view event, const Json& document) const {
  const ByteArray<32> digest = must(evidence::document_digest(document));
  if (!node_.tee().extend_event(event, digest)) std::abort();
}

std::string SimulatedService::payload(const evidence::Nonce& gpu_nonce) const {
  return evidence::write_nvidia_payload({to_hex(gpu_nonce), "HOPPER", must(node_.gpu().collect(gpu_nonce))});
}

evidence::NativeStatement SimulatedService::statement(const evidence::Nonce& nonce,
                                                      const std::optional<std::string>& payload) const {
  evidence::NativeStatement out;
  if (payload) out.gpu_evidence_digest = crypto::sha256(as_bytes(*payload));
  out.keyset_digest = keyset_digest(keyset());
  out.model_digest = must(evidence::document_digest(model()));
  out.policy_digest = must(evidence::document_digest(policy()));
  out.nonce = nonce;
  return out;
}

Json SimulatedService::native_report_around(const evidence::NativeStatement& statement,
                                            const std::optional<std::string>& payload) const {
  const std::string text = evidence::native_statement(statement);
  return {{"api_version", evidence::kNativeVersion},
          {"tee_type", node_.tee().type()},
          {"statement", must(codec::parse_json(text))},
          {"keyset", keyset()},
          {"model", model()},
          {"policy", policy()},
          {"quote", to_hex(must(node_.tee().quote(evidence::statement_report_data(text))))},
          {"event_log", codec::write_json(evidence::event_log_json(must(node_.tee().event_log())))},
          {"nvidia_payload", payload ? Json(*payload) : Json()}};
}

Json SimulatedService::native_report(const evidence::Nonce& nonce, bool gpu) const {
  std::optional<std::string> evidence_text;
  if (gpu) evidence_text = payload(evidence::gpu_nonce(keyset_digest(keyset()), nonce));
  return native_report_around(statement(nonce, evidence_text), evidence_text);
}

Json SimulatedService::sign(Json receipt) const {
  receipt.erase("signature");
  const std::string input = must(codec::write_jcs(receipt));
  receipt["signature"] = to_hex(receipt_key_.sign(as_bytes(input)));
  return receipt;
}

Json SimulatedService::sign_known_answers(const std::vector<evidence::KnownAnswersResult>& results,
                                          const std::string& key_id) const {
  return must(evidence::sign_known_answers(results, key_id,
                                           [&](std::string_view text) { return receipt_key_.sign(as_bytes(text)); }));
}

Json SimulatedService::receipt() const {
  return sign(
      {{"api_version", "aci/1"},
       {"receipt_id", "rcpt-1"},
       {"chat_id", "chatcmpl-1"},
       {"model", "demo"},
       {"workload_keyset_digest", evidence::digest_text(keyset_digest(keyset()))},
       {"endpoint", "/v1/chat/completions"},
       {"method", "POST"},
       {"served_at", kJudgedAt - 60},
       {"event_log", Json::array({{{"type", "request.received"}, {"body_hash", digest_of(kReceiptRequest)}},
                                  {{"type", "request.forwarded"}, {"body_hash", digest_of(kReceiptRequest)}},
                                  {{"type", "model.served"},
                                   {"model_id", "demo"},
                                   {"model_digest", evidence::digest_text(must(evidence::document_digest(model())))}},
                                  {{"type", "response.returned"}, {"body_hash", digest_of(kReceiptResponse)}},
                                  {{"type", "usage.metered"}, {"prompt_tokens", 3}, {"completion_tokens", 5}}})},
       {"key_id", "receipt-1"}});
}

const SimulatedService& service() {
  // The seed is that of node(), so the keys are the same.
  static const SimulatedNode measured;
  static const SimulatedService service = [] {
    SimulatedService made(measured);
    made.measure(evidence::kPolicyEvent, made.policy());
    return made;
  }();
  return service;
}

verify::Verdict ServiceCase::judge_report() const {
  return verify::verify_report(codec::write_json(report), expected, {policy, {}, time});
}

verify::Verdict ServiceCase::judge_receipt() const {
  const std::string report_text = codec::write_json(report);
  const std::string receipt_text = codec::write_json(receipt);
  verify::ReceiptEvidence evidence;
  evidence.receipt = receipt_text;
  evidence.report = report_text;
  evidence.expected = expected;
  evidence.request = as_bytes(request);
  evidence.response = as_bytes(response);
  evidence.id = id;
  evidence.model = model;
  return verify::verify_receipt(evidence, {policy, {}, time});
}

ServiceCase aci_case() {
  ServiceCase out;
  out.report = service().aci_report(test_nonce());
  out.receipt = service().receipt();
  out.expected.nonce = test_nonce();
  out.expected.no_connection = true;
  out.policy = lenient();
  return out;
}

ServiceCase native_case() {
  ServiceCase out = aci_case();
  out.report = service().native_report(test_nonce());
  return out;
}

Json wrapped_report(const Json& gateway, const Json& models) {
  return {{"gateway_attestation", gateway}, {"model_attestations", models}};
}

}  // namespace cloister::testing
