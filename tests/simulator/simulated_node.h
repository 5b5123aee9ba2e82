// The evidence of a node on the simulated TEE, for tests. It makes the report that a node serves
// (docs/spec/legacy-proof.md) and signs replies, without HTTP.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "crypto/ed25519.h"
#include "crypto/secp256k1.h"
#include "evidence/chat_signature.h"
#include "evidence/proof.h"
#include "evidence/report_data.h"
#include "gpu/gpu_evidence_source.h"
#include "tee/tee.h"
#include "verify/report.h"

namespace cloister::testing {

constexpr UnixSeconds kJudgedAt = 1780272000;  // 2026-06-01

struct Ask {
  evidence::Nonce nonce{};
  evidence::SigningAlgo algo = evidence::SigningAlgo::kEcdsa;
  std::optional<ByteArray<32>> tls_spki_sha256;
  bool gpu = true;
};

class SimulatedNode {
 public:
  explicit SimulatedNode(std::uint8_t mark = 1, int gpus = 2);

  // The node's answer.
  Json report(const Ask& ask) const;
  evidence::ChatSignature sign(evidence::SigningAlgo algo, std::string_view request, std::string_view response) const;

  Bytes identity(evidence::SigningAlgo algo) const;
  std::string address(evidence::SigningAlgo algo) const;
  Bytes seed() const { return Bytes(32, mark_); }
  tee::Tee& tee() const { return *tee_; }
  gpu::GpuEvidenceSource& gpu() const { return *gpu_; }

 private:
  std::uint8_t mark_;
  std::unique_ptr<tee::Tee> tee_;
  std::unique_ptr<gpu::GpuEvidenceSource> gpu_;
  crypto::Secp256k1Key ecdsa_;
  crypto::Ed25519Key ed25519_;
};

// Return the node and the nonce that the tests use. They are made once.
const SimulatedNode& node();
evidence::Nonce test_nonce();
Ask test_ask();

// A report under verification: the served report, the known facts and the policy.
struct Case {
  Json report;
  verify::Expected expected;
  verify::Policy policy{.accept_simulator = true};
  UnixSeconds time = kJudgedAt;

  verify::Verdict judge() const;
};
Case genuine_case(const Ask& ask = test_ask());

}  // namespace cloister::testing
