#include "engine/dialect/schema_rules.h"

namespace cloister::engine {
namespace {

// Makes the name of a rule from a reference as the library does.
std::string rule_name(const std::string& reference) {
  std::string name = "ref";
  for (const char c : std::string_view(reference).substr(1)) {
    const bool kept = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
    if (kept) {
      name += c;
    } else if (name.back() != '-' || name.size() == 3) {
      name += '-';
    }
  }
  return name;
}

}  // namespace

Result<void> SchemaRules::apply(Json& schema, const std::string& where, bool strict) {
  SchemaPass pass(schema, where, strict, costs_);
  TRY_VOID(pass.run());
  for (const auto& [text, target] : pass.references()) {
    const auto [found, added] = references_.try_emplace(rule_name(text), Reference{text, target});
    if (added || !strict) continue;
    // The library treats both as the same.
    if (found->second.text != text || found->second.target != target) {
      return pass.refuse({}, "$ref", "'" + text + "' has the name of another definition in the same request");
    }
  }
  return {};
}

}  // namespace cloister::engine
