// The policy document of a Cloister node (docs/spec/policy.md): whether the evidence binds it, and whether the verifier accepts what
// it says about the engine, other servers, TLS, shared caches, the TEE, the GPUs and the log.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "evidence/boot_evidence.h"
#include "verify/expected.h"
#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::verify {

// The member of legacy and ACI reports that holds the document; the native report calls it `policy`.
inline constexpr std::string_view kPolicyMember = "cloister_policy";

// The payload of the last runtime event of this name, where the boot checks in `verdict` show that the log matches the
// registers. Absent for a log without such an event, and for a payload of another size than 32 bytes.
std::optional<ByteArray<32>> logged_digest(const evidence::BootEvidence& boot, std::string_view name,
                                           const Verdict& verdict);

// What serves the evidence. kUnknown: nothing that is bound says it, so a missing document may have been taken away.
enum class NodeKind { kUnknown, kCloister };

// For the forms whose statement does not name the digests: adds report.model_digest and report.policy_digest by the
// log's events `cloister-model` and `cloister-policy`, where it has them, then check_node_policy(). `document` is the
// member kPolicyMember, or null.
void check_logged_digests(const evidence::BootEvidence& boot, const Json& document, NodeKind kind,
                          const Expected& expected, const Policy& policy, Verdict& verdict);

// policy.document to policy.keys, and the fact `node_policy`. To be called after the checks of the TEE. `document` may be null. `boot`
// tells which GPU libraries were loaded, whatever the document says.
// report_data.tls, which `verdict` holds already, decides policy.tls of a node with TLS, where there is a connection (`expected`).
// `bound` is the digest that the evidence binds. Without document and digest all are skipped and required, unless the service may be
// another's and the policy accepts that it has none (`accept_no_node_policy`).
void check_node_policy(const evidence::BootEvidence& boot, const Json& document,
                       const std::optional<ByteArray<32>>& bound, NodeKind kind, const Expected& expected,
                       const Policy& policy, Verdict& verdict);

// True for an address of the same machine: "http://127.0.0.1:8000", "https://localhost", "unix:/run/engine.sock".
// Strict: "127.evil.example" and "127.0.0.1@evil.example" are not local.
bool is_local_address(std::string_view url);

}  // namespace cloister::verify
