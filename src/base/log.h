// Logging. One line an event, `key=value` pairs after the message. Prompts, replies and keys never come here:
// SecretBytes cannot be formatted, and callers pass ids, sizes, codes and times only.
#pragma once

#include <string_view>

#include "base/result.h"

namespace cloister::log {

enum class Level { kDebug, kInfo, kWarn, kError };

// Sets the least level that is written (to standard error). Call once, before threads start.
void configure(Level least);
Result<Level> parse_level(std::string_view text);

void write(Level level, std::string_view line);
inline void debug(std::string_view line) { write(Level::kDebug, line); }
inline void info(std::string_view line) { write(Level::kInfo, line); }
inline void warn(std::string_view line) { write(Level::kWarn, line); }
inline void error(std::string_view line) { write(Level::kError, line); }

}  // namespace cloister::log
