// Logging. Each event is one line, whatever its words hold (base/terminal_text.h), with `key=value` pairs after the
// message, as text or as one JSON object. Prompts, replies and keys are never logged: SecretBytes cannot be formatted,
// and callers pass ids, sizes, codes and times only.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::log {

enum class Level { kDebug, kInfo, kWarn, kError };

enum class Format { kText, kJson };

// Sets the form of the lines (on standard error). Called before threads start.
void configure(Level least, Format format = Format::kText);
// Sets the least level that is written from now on. Any thread.
void set_level(Level least);
Result<Level> parse_level(std::string_view text);
// `time` is "2026-11-22T21:31:00.123Z" and the like; the line is an object: {"time","level","message"}.
std::string json_line(Level level, std::string_view line, std::string_view time);

void write(Level level, std::string_view line);
inline void debug(std::string_view line) { write(Level::kDebug, line); }
inline void info(std::string_view line) { write(Level::kInfo, line); }
inline void warn(std::string_view line) { write(Level::kWarn, line); }
inline void error(std::string_view line) { write(Level::kError, line); }

}  // namespace cloister::log
