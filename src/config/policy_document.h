// The policy document: the configuration in force, as far as it matters for trust (docs/spec/policy.md). It is made from the options, by
// what their rows say (config/serve_options.def), and from what the node found on its machine. It holds ASCII texts, whole numbers,
// booleans and nulls; no secret, and of files at most their digest. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "config/serve_options.h"

namespace cloister::config {

// What the options alone do not state.
struct PolicySurroundings {
  std::string tee_type, gpu_evidence_type;  // as reports name them; "none" where there is none
  bool gpu_gate = false;                    // prompts only while every GPU is attested
  bool known_answers = false;               // models are tested before they answer (docs/spec/known-answers.md)
  std::optional<ByteArray<32>> executable;  // SHA-256 of the running program
  // SHA-256 of the files that are in use, not of what their names lead to later: the policy of the GPU gate, and the driver library that the
  // operator named.
  std::optional<ByteArray<32>> gpu_policy, gpu_library;
};

// The document, including the digest of the configuration that the node's keys belong to (evidence/key_configuration.h). kUsage for
// options that have no meaning.
Result<Json> policy_document(const ServeOptions& options, const PolicySurroundings& around);
// SHA-256 of the configuration that the node's keys are derived for.
Result<ByteArray<32>> key_configuration_digest(const ServeOptions& options, const PolicySurroundings& around);

// The paths of all members, such as "listen.tls", in the order of the document; "receipts" is one of them.
std::span<const std::string_view> policy_member_paths();

}  // namespace cloister::config
