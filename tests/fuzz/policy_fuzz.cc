// The verifier's policy file: what is read nests within the bound, sets something, and reads the same again.
#include "fuzz.h"
#include "verify/policy/policy_file.h"
#include "verify/policy/toml_nesting.h"
#include "verify/policy/toml_syntax.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const std::string_view text = as_text(input);
  const bool deep = verify::find_deep_line(text).has_value();
  const auto policy = verify::parse_policy(text);
  FUZZ_CHECK(!policy || !deep);
  FUZZ_CHECK(policy || !policy.error().message.empty());
  if (policy) FUZZ_CHECK(*verify::parse_policy(text) == *policy);
  const auto entries = verify::read_toml_entries(text);
  FUZZ_CHECK(!deep || std::holds_alternative<verify::TomlFault>(entries));
  if (const auto* all = std::get_if<std::vector<verify::TomlEntry>>(&entries)) {
    for (const verify::TomlEntry& entry : *all) FUZZ_CHECK(entry.tables.size() <= verify::kMostTomlLevels);
  }
}
