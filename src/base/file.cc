#include "base/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file_descriptor.h"

namespace cloister {
namespace {

Error io_error(const char* what, const std::filesystem::path& path, int code) {
  return fail(ErrorCode::kIo, std::string(what) + " " + path.string() + ": " + strerror(code), path.string());
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return io_error("cannot open", path, errno);
  std::string out;
  char chunk[65536];
  while (true) {
    ssize_t n = ::read(file.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("cannot read", path, errno);
    if (n == 0) return out;
    if (out.size() + static_cast<std::size_t>(n) > limit_bytes) {
      return fail(ErrorCode::kTooLarge, path.string() + " is larger than " + std::to_string(limit_bytes) + " bytes",
                  path.string());
    }
    out.append(chunk, static_cast<std::size_t>(n));
  }
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes, unsigned mode) {
  std::filesystem::path temporary = path;
  temporary += ".new." + std::to_string(::getpid());
  {
    FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (file.get() < 0) return io_error("cannot write", temporary, errno);
    while (!bytes.empty()) {
      ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return io_error("cannot write", temporary, errno);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(file.get()) != 0) return io_error("cannot flush", temporary, errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return io_error("cannot replace", path, errno);
  return {};
}

Result<void> ensure_private_folder(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::is_directory(path, code)) {
    std::filesystem::create_directories(path, code);
    if (code) return io_error("cannot create folder", path, code.value());
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, code);
  }
  if (::access(path.c_str(), W_OK | X_OK) != 0) return io_error("cannot write in folder", path, errno);
  return {};
}

}  // namespace cloister
