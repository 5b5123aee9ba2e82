#include "base/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/file_descriptor.h"

namespace cloister {
namespace {

Error io_error(const char* what, const std::filesystem::path& path, int code) {
  return fail(ErrorCode::kIo, std::string(what) + " " + path.string() + ": " + strerror(code), path.string());
}

Error too_large(const std::filesystem::path& path, std::size_t limit_bytes) {
  return fail(ErrorCode::kTooLarge, path.string() + " is larger than " + std::to_string(limit_bytes) + " bytes",
              path.string());
}

struct NewFile {
  std::filesystem::path path;
  FileDescriptor descriptor;
};

// Creates a new file next to `path`, under a name that nobody can predict: whoever may write into the folder could have
// put a file or a link there. An existing name is not used (O_EXCL, which follows no link).
Result<NewFile> create_beside(const std::filesystem::path& path, unsigned mode) {
  constexpr int kTries = 16;
  for (int left = kTries; left > 0; --left) {
    std::uint64_t chance = 0;
    if (::getrandom(&chance, sizeof chance, 0) != static_cast<ssize_t>(sizeof chance)) break;
    std::filesystem::path name = path;
    name += ".new." + std::to_string(chance);
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd >= 0) return NewFile{std::move(name), FileDescriptor(fd)};
    // A name that this program made up would tell nobody anything.
    if (errno != EEXIST) return io_error("cannot write", path, errno);
  }
  return io_error("cannot name a new file next to", path, EEXIST);
}

// `path` is the final name of the file.
Result<void> write_all(const NewFile& file, const std::filesystem::path& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.descriptor.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("cannot write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(file.descriptor.get()) != 0) return io_error("cannot flush", path, errno);
  return {};
}

Result<std::string> read_opened(const FileDescriptor& file, const std::filesystem::path& path, std::size_t limit_bytes,
                                bool regular_only) {
  if (file.get() < 0) return io_error("cannot open", path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return io_error("cannot read", path, errno);
  if (regular_only && !S_ISREG(status.st_mode))
    return fail(ErrorCode::kIo, path.string() + " is no regular file", path.string());
  if (S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) > limit_bytes)
    return too_large(path, limit_bytes);
  std::string out;
  char chunk[65536];
  while (true) {
    ssize_t n = ::read(file.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("cannot read", path, errno);
    if (n == 0) return out;
    if (out.size() + static_cast<std::size_t>(n) > limit_bytes) return too_large(path, limit_bytes);
    out.append(chunk, static_cast<std::size_t>(n));
  }
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  return read_opened(FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path, limit_bytes, false);
}

Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  return read_opened(FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)), path,
                     limit_bytes, true);
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes, unsigned mode) {
  TRY(temporary, create_beside(path, mode));
  Result<void> written = write_all(temporary, path, bytes);
  if (written && ::rename(temporary.path.c_str(), path.c_str()) != 0) written = io_error("cannot replace", path, errno);
  if (!written) ::unlink(temporary.path.c_str());
  return written;
}

Result<void> ensure_private_folder(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::is_directory(path, code)) {
    // Private from the first moment on, including the parents, since nobody else has asked for them.
    std::filesystem::path made;
    for (const std::filesystem::path& part : path) {
      made /= part;
      if (std::filesystem::is_directory(made, code)) continue;
      if (::mkdir(made.c_str(), S_IRWXU) != 0 && errno != EEXIST) return io_error("cannot create folder", made, errno);
    }
  }
  if (::access(path.c_str(), W_OK | X_OK) != 0) return io_error("cannot write in folder", path, errno);
  return {};
}

}  // namespace cloister
