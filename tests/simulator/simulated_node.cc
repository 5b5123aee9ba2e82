#include "tests/simulator/simulated_node.h"

#include <cstdlib>
#include <utility>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/gpu_evidence.h"
#include "gpu/simulator/simulator.h"
#include "tee/simulator/simulator.h"

namespace cloister::testing {
namespace {

using evidence::SigningAlgo;

// Unwraps a step of the set-up that cannot fail on a healthy machine.
template <typename T>
T must(Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

std::unique_ptr<tee::Tee> make_tee(std::uint8_t mark) {
  tee::SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, mark));
  return must(tee::make_insecure_simulator(std::move(options)));
}

}  // namespace

SimulatedNode::SimulatedNode(std::uint8_t mark, int gpus)
    : mark_(mark),
      tee_(make_tee(mark)),
      gpu_(must(gpu::make_insecure_simulator({SecretBytes(Bytes(32, mark)), gpus}))),
      ecdsa_(must(crypto::Secp256k1Key::from_secret(must(tee_->derive_key("ecdsa")).expose()))),
      ed25519_(must(crypto::Ed25519Key::from_seed(must(tee_->derive_key("ed25519")).expose()))) {}

Bytes SimulatedNode::identity(SigningAlgo algo) const {
  if (algo == SigningAlgo::kEd25519) return to_bytes(ed25519_.public_key());
  return to_bytes(ecdsa_.address());
}

std::string SimulatedNode::address(SigningAlgo algo) const {
  if (algo == SigningAlgo::kEd25519) return to_hex(ed25519_.public_key());
  return crypto::eth_address_text(ecdsa_.address());
}

Json SimulatedNode::report(const Ask& ask) const {
  const Bytes bound = identity(ask.algo);
  const evidence::ReportData data = ask.tls_spki_sha256
                                        ? evidence::report_data_l2(bound, *ask.tls_spki_sha256, ask.nonce)
                                        : evidence::report_data_l1(bound, ask.nonce);
  const std::string quote = to_hex(must(tee_->quote(data)));
  const tee::TeeInfo info = must(tee_->info());
  Json item = {
      {"signing_address", address(ask.algo)},
      {"signing_algo", evidence::to_text(ask.algo)},
      {"signing_public_key",
       ask.algo == SigningAlgo::kEd25519 ? to_hex(ed25519_.public_key()) : to_hex(ecdsa_.public_key())},
      {"request_nonce", to_hex(ask.nonce)},
      {"intel_quote", quote},
      {"quote", quote},
      {"event_log", evidence::event_log_json(must(tee_->event_log()))},
      {"info", info.info},
      {"vm_config", info.vm_config},
      {"tee_type", tee_->type()},
  };
  if (ask.gpu) {
    item["nvidia_payload"] =
        evidence::write_nvidia_payload({to_hex(ask.nonce), "HOPPER", must(gpu_->collect(ask.nonce))});
  }
  if (ask.tls_spki_sha256) item["tls_cert_fingerprint"] = to_hex(*ask.tls_spki_sha256);
  Json report = item;
  report["all_attestations"] = Json::array({std::move(item)});
  return report;
}

evidence::ChatSignature SimulatedNode::sign(SigningAlgo algo, std::string_view request,
                                            std::string_view response) const {
  evidence::ChatSignature out;
  out.text = evidence::signed_text(crypto::sha256(as_bytes(request)), crypto::sha256(as_bytes(response)));
  out.signature = algo == SigningAlgo::kEd25519 ? to_hex(ed25519_.sign(as_bytes(out.text)))
                                                : "0x" + to_hex(ecdsa_.sign_text(out.text));
  out.signing_address = address(algo);
  out.signing_algo = algo;
  return out;
}

const SimulatedNode& node() {
  static const SimulatedNode node;
  return node;
}

evidence::Nonce test_nonce() {
  evidence::Nonce nonce;
  nonce.fill(0x5a);
  return nonce;
}

Ask test_ask() {
  Ask ask;
  ask.nonce = test_nonce();
  return ask;
}

verify::Verdict Case::judge() const {
  return verify::verify_report(codec::write_json(report), expected, {policy, {}, time});
}

Case genuine_case(const Ask& ask) {
  Case out;
  out.report = node().report(ask);
  out.expected.nonce = ask.nonce;
  out.expected.tls_spki_sha256 = ask.tls_spki_sha256;
  out.expected.no_connection = !ask.tls_spki_sha256;
  // The node measures no policy.
  out.policy.service.accept_no_node_policy = true;
  // Without a policy, no document says where the TLS key was made.
  out.policy.service.accept_unproven_tls_keys = ask.tls_spki_sha256.has_value();
  return out;
}

}  // namespace cloister::testing
