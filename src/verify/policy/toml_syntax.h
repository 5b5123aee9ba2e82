// The values of a TOML text as a flat list. Only this folder uses the TOML library. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cloister::verify {

struct TomlFault {
  std::size_t line = 0;
  std::string message;
};

struct TomlEntry {
  std::vector<std::string> tables;  // from the outermost table on
  std::string name;                 // empty for the table itself, which comes before its members
  std::vector<std::string>
      values;               // each element of an array; numbers and booleans as decimal digits, "true" and "false"
  bool is_boolean = false;  // a single boolean, not an array
  std::size_t line = 0;
};

// Returns tables and values in the order of their names. A fault: text that is not TOML, and values that no option can
// have: a table within an array, an array within an array, a date or a time. Callers pass at most 1 MiB.
std::variant<std::vector<TomlEntry>, TomlFault> read_toml_entries(std::string_view text);

}  // namespace cloister::verify
