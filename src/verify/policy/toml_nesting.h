// Bounds how deep a TOML text nests, before it is parsed: the TOML library calls itself for each level of tables and arrays, and a text of some
// kilobytes ("a.a.a. ... = 1") would need more stack than a thread has. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace cloister::verify {

inline constexpr std::size_t kMostTomlLevels = 16;

// Returns the first line with more than kMostTomlLevels levels, absent for none. The parts of a dotted key, the parts of a table's name
// and each open bracket count as a level each; strings and comments do not. One pass; a text that is no TOML gets some answer.
std::optional<std::size_t> find_deep_line(std::string_view toml);

}  // namespace cloister::verify
