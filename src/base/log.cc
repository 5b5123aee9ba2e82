#include "base/log.h"

#include <time.h>

#include <cstdio>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/terminal_text.h"

namespace cloister::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = spdlog::stderr_color_mt("cloister");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
  }
  return "info";
}

std::string time_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  char millis[8];
  std::snprintf(millis, sizeof millis, ".%03uZ", static_cast<unsigned>(now.tv_nsec / 1'000'000) % 1000);
  std::string text = to_rfc3339(now.tv_sec);
  text.pop_back();
  return text + millis;
}

bool json = false;

}  // namespace

void configure(Level least, Format format) {
  json = format == Format::kJson;
  if (json) logger().set_pattern("%v");
  set_level(least);
}

void set_level(Level least) { logger().set_level(to_spdlog(least)); }

std::string json_line(Level level, std::string_view line, std::string_view time) {
  // In ASCII, because logs are read in terminals.
  return Json{{"time", time}, {"level", name_of(level)}, {"message", line}}.dump(-1, ' ', true,
                                                                                 Json::error_handler_t::replace);
}

Result<Level> parse_level(std::string_view text) {
  if (text == "debug") return Level::kDebug;
  if (text == "info") return Level::kInfo;
  if (text == "warn") return Level::kWarn;
  if (text == "error") return Level::kError;
  return fail(ErrorCode::kUsage, "log level must be debug, info, warn or error, got '" + std::string(text) + "'");
}

void write(Level level, std::string_view line) {
  if (!logger().should_log(to_spdlog(level))) return;
  // A line break in another party's text would begin a line that this program never wrote.
  if (!json) return logger().log(to_spdlog(level), terminal_line(line));
  logger().log(to_spdlog(level), json_line(level, line, time_now()));
}

}  // namespace cloister::log
