#include "apps/config_file.h"

#include <string>

#include <toml++/toml.h>

#include "base/file.h"

namespace cloister::apps {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;

// What is wrong with the file; "" when nothing is.
std::string objection(const std::string& path) {
  if (std::string missing = CLI::ExistingFile(path); !missing.empty()) return missing;
  const Result<std::string> text = read_file(path, kMostBytes);
  if (!text) return text.error().message;
  // The library's only way to tell of bad syntax.
  try {
    static_cast<void>(toml::parse(*text));
    return "";
  } catch (const toml::parse_error& error) {
    return path + ", line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description());
  }
}

}  // namespace

CLI::Validator toml_file() {
  return CLI::Validator([](std::string& path) { return objection(path); }, "FILE");
}

}  // namespace cloister::apps
