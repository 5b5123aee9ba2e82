#include "apps/doctor/roots.h"

#include <unistd.h>

#include "base/file.h"

namespace cloister::apps {

std::optional<std::string> read_text(const std::filesystem::path& path) {
  Result<std::string> text = read_file(path, 1u << 20);
  if (!text) return std::nullopt;
  if (text->ends_with('\n')) text->pop_back();
  return std::move(*text);
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool usable(const std::filesystem::path& path) { return ::access(path.c_str(), R_OK | W_OK) == 0; }

}  // namespace cloister::apps
