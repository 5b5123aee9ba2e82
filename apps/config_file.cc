#include "apps/config_file.h"

#include <string>

#include "base/file.h"
#include "verify/policy/toml_syntax.h"

namespace cloister::apps {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;

// What is wrong with the file; "" when nothing is.
std::string objection(const std::string& path) {
  if (std::string missing = CLI::ExistingFile(path); !missing.empty()) return missing;
  const Result<std::string> text = read_file(path, kMostBytes);
  if (!text) return text.error().message;
  const auto fault = verify::toml_fault(*text);
  return fault ? path + ", line " + std::to_string(fault->line) + ": " + fault->message : "";
}

}  // namespace

CLI::Validator toml_file() {
  return CLI::Validator([](std::string& path) { return objection(path); }, "FILE");
}

}  // namespace cloister::apps
