#include "verify/policy/toml_syntax.h"

#include <toml++/toml.h>

namespace cloister::verify {

std::optional<TomlFault> toml_fault(std::string_view text) {
  // The library's only way to tell of bad syntax.
  try {
    static_cast<void>(toml::parse(text));
    return std::nullopt;
  } catch (const toml::parse_error& error) {
    return TomlFault{error.source().begin.line, std::string(error.description())};
  }
}

}  // namespace cloister::verify
