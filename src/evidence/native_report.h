// Cloister's own attestation report, `cloister/1` (docs/spec/native-report.md): one quote that binds the keyset, the
// GPU evidence, the model and the configuration.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "evidence/aci/keyset.h"
#include "evidence/statement.h"

namespace cloister::evidence {

inline constexpr std::string_view kNativeVersion = "cloister/1";
// A request's header: the digest of the only policy document ("sha256:<hex>") under which the request may be answered.
inline constexpr std::string_view kExpectedPolicyHeader = "x-cloister-policy-digest";

struct NativeReport {
  NativeStatement statement;
  Keyset keyset;
  std::string tee_type;
  Bytes quote;
  std::optional<std::string> nvidia_payload;  // the exact bytes that gpu_evidence_digest is the hash of
  Json model, policy;                         // objects, or null: the documents that the two digests are the hashes of
};

// Errors are kBadReport and name the member. Unknown members are ignored, except in the statement.
Result<NativeReport> parse_native_report(const Json& object);

// SHA-256 of the object's canonical form, as model_digest and policy_digest are made.
Result<ByteArray<32>> document_digest(const Json& document);

}  // namespace cloister::evidence
