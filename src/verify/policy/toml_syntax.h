// The values of a TOML text as a flat list. The TOML library is used in this folder alone. Pure; any thread.
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
  std::vector<std::string> tables;   // from the outermost
  std::string name;                  // empty for the table itself, which comes before what is in it
  std::vector<std::string> values;   // of an array each element; numbers and booleans as decimal digits, "true" and "false"
  bool is_boolean = false;           // one boolean, and no array
  std::size_t line = 0;
};

// Tables and values in the order of their names. A fault: what is no TOML, and what no option can have: a table within an array, an array within an array, a
// date or a time. At most 1 MiB is expected.
std::variant<std::vector<TomlEntry>, TomlFault> read_toml_entries(std::string_view text);

}  // namespace cloister::verify
