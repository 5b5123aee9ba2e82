// The policy document of a host: what its options mean in effect.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/serve_options.h"
#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::apps {

// Facts that the options alone do not state.
struct PolicySurroundings {
  ListenAddress listen;
  std::string tee_type, gpu_evidence_type;
  bool token_required = false;
  bool gpu_gate = false;
  bool known_answers = false;
  std::vector<std::string> cors_origins;
  std::optional<ByteArray<32>> executable;
  std::optional<ByteArray<32>> gpu_policy,
      gpu_library;  // of the files that are in use, not of what their names lead to later
};

Result<Json> policy_of(const ServeOptions& options, const PolicySurroundings& around);
// The configuration that the node's keys are derived for. Tokens and origins in `around` are not part of it.
Result<ByteArray<32>> key_configuration_of(const ServeOptions& options, const PolicySurroundings& around);

// The engine that the options ask for: "llama", "upstream", "echo".
std::string engine_kind(const ServeOptions& options);
// True when the answers come from this TEE: always, except for upstreams on other machines. --serving overrides it.
bool serves_itself(const ServeOptions& options);

}  // namespace cloister::apps
