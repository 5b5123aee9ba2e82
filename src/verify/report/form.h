// Parses the legacy attestation report (docs/spec/legacy-proof.md). The parser is strict about the members that it
// knows and ignores those that it does not.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "evidence/boot_evidence.h"
#include "evidence/chat_signature.h"
#include "evidence/report_data.h"

namespace cloister::verify {

struct ServedReport {
  std::string signing_address;  // as served; verified by report.signing_address
  evidence::SigningAlgo signing_algo = evidence::SigningAlgo::kEcdsa;
  std::optional<std::string> signing_public_key;  // as served
  evidence::Nonce request_nonce{};
  Bytes quote;
  std::optional<std::string> nvidia_payload;  // JSON text; absent when there is no GPU evidence
  std::optional<std::string> tee_type;
  std::optional<ByteArray<32>> tls_cert_fingerprint;  // SHA-256 of the SubjectPublicKeyInfo
  bool tls_key_given = false;                         // the report itself says that its TLS key came from outside
  evidence::BootEvidence boot;                        // event log, info, vm_config
  Json node_policy;                                   // the policy document of a Cloister node, or null
  // The document that says where the TLS key was made: node_policy or, where a report has none, the document that nodes
  // of version 0.1 showed next to the key. Null where there is neither.
  Json tls_policy;

  // True for the same instance and the same evidence.
  bool same_evidence(const ServedReport& other) const;
};

// One object: the report itself or an element of all_attestations. Errors are kBadReport and name the member.
Result<ServedReport> parse_served_report(const Json& object);

}  // namespace cloister::verify
