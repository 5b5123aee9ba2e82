#include "apps/file_options.h"

#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace cloister::apps {
namespace {

Error refused(const std::string& option, const std::string& what) {
  return fail(ErrorCode::kUsage, option + ": " + what);
}

}  // namespace

Result<void> check_can_read(const std::string& option, const std::string& path) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return {};
  return refused(option, "cannot open " + path + ": " + strerror(errno));
}

Result<void> check_can_write(const std::string& option, const std::string& path) {
  if (path.empty() || path == "-") return {};
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) return refused(option, "cannot write " + path + ": it is a folder");
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::filesystem::path folder = parent.empty() ? "." : parent;
  if (!std::filesystem::is_directory(folder, code))
    return refused(option, "cannot write " + path + ": there is no folder " + folder.string());
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return refused(option, "cannot write " + path + ": " + strerror(errno));
}

}  // namespace cloister::apps
