// Statements: what a quote's report data is the hash of, where it binds more than an address (ACI `aci/1`;
// docs/spec/native-report.md). Bytes 0 to 31 are SHA-256 of the statement, bytes 32 to 63 are zeros.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "evidence/report_data.h"

namespace cloister::evidence {

inline constexpr std::string_view kNativePurpose = "cloister.report_data.v1";
inline constexpr std::string_view kGpuNonceTag = "cloister.gpu_nonce.v1";

// {"keyset_digest","nonce","purpose":"aci.report_data.v1"}; without a nonce the member is null.
std::string aci_statement(const ByteArray<32>& keyset_digest, const std::optional<Nonce>& nonce);

// What Cloister's own report binds. The keyset and the GPU evidence are bound both ways: the GPU's nonce is made from
// the keyset, and the statement holds the digest of the GPU's evidence.
struct NativeStatement {
  std::optional<ByteArray<32>> gpu_evidence_digest;  // of the bytes of the nvidia_payload text; absent without a GPU
  ByteArray<32> keyset_digest{};
  std::optional<ByteArray<32>> model_digest;   // of the model's identity
  Nonce nonce{};                               // the client's nonce
  std::optional<ByteArray<32>> policy_digest;  // of the configuration that matters for trust

  bool operator==(const NativeStatement&) const = default;
};

// The canonical form (RFC 8785): {"gpu_evidence_digest","keyset_digest","model_digest","nonce","policy_digest",
// "purpose"}, digests as "sha256:<hex>", null where there is none.
std::string native_statement(const NativeStatement& statement);

// SHA-256(statement) and 32 zero bytes.
ReportData statement_report_data(std::string_view statement);

// SHA-256("cloister.gpu_nonce.v1" || keyset digest || client nonce): the nonce for the GPUs.
Nonce gpu_nonce(const ByteArray<32>& keyset_digest, const Nonce& client_nonce);

}  // namespace cloister::evidence
