// Whether a text is TOML, whatever it says. The only place with the TOML library is this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloister::verify {

struct TomlFault {
  std::size_t line = 0;
  std::string message;
};

// Nothing when it is TOML. At most 1 MiB is expected; any thread.
std::optional<TomlFault> toml_fault(std::string_view text);

}  // namespace cloister::verify
