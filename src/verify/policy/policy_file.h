// Reads a Policy from TOML. The commented default is verify/policy/default.toml; docs/guide/policy.md explains it.
#pragma once

#include <string_view>

#include "base/result.h"
#include "verify/policy.h"

namespace cloister::verify {

// Accepts at most 1 MiB and 16 levels (toml_nesting.h). What the text does not name keeps its default; a text that sets nothing is an
// error, since a file that read as empty must not become the default policy. An unknown key, a value of another type and a
// value out of its range are errors that name the key and its line. Pure; any thread.
Result<Policy> parse_policy(std::string_view toml_text);

// The default policy as a commented file: parse_policy() of it gives Policy{}.
extern const std::string_view kDefaultPolicyText;

}  // namespace cloister::verify
