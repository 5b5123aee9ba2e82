// The configuration that a node's keys belong to (docs/spec/policy.md, "Keys"). Pure; any thread.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

// The member of a policy document that names it.
inline constexpr std::string_view kKeyConfigurationMember = "key_configuration";

// What a policy document says about who can read prompts and what signs replies: {"schema","engine","gpu","listen","logging",
// "signing","tee"}, null for what it does not say. Changes to other members (limits, log level, build) keep the keys.
Json key_configuration(const Json& policy);

// SHA-256 of the canonical form (RFC 8785) of key_configuration(). An error for a document that has no canonical form.
Result<ByteArray<32>> key_configuration_digest(const Json& policy);

}  // namespace cloister::evidence
