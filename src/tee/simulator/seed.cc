#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/hash.h"
#include "tee/simulator/simulator.h"

namespace cloister::tee {
namespace {

constexpr std::size_t kSeedSize = 32;

Error seed_error(const char* what, const std::filesystem::path& path, int code) {
  return fail(ErrorCode::kIo,
              std::string("simulator seed: cannot ") + what + " " + path.string() + ": " + strerror(code),
              path.string());
}

Result<void> write_new_file(const std::filesystem::path& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return seed_error("create", path, errno);
  const ssize_t written = ::write(fd, text.data(), text.size());
  const int code = written < 0 ? errno : EIO;
  const bool complete = written == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (complete) return {};
  ::unlink(path.c_str());
  return seed_error("write", path, code);
}

// When several processes start at once, one wins, and all read the winner's seed: the file gets its name only when its
// bytes are there, and link(), unlike rename(), never replaces a file that exists.
Result<void> create_seed(const std::filesystem::path& path) {
  std::filesystem::path temporary = path;
  temporary += ".new." + to_hex(crypto::random_bytes(8));
  const Bytes seed = crypto::random_bytes(kSeedSize);
  TRY_VOID(write_new_file(temporary, to_hex(seed) + "\n"));
  const int code = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(temporary.c_str());
  if (code != 0 && code != EEXIST) return seed_error("create", path, code);
  return {};
}

}  // namespace

Result<SecretBytes> load_or_create_simulator_seed(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) TRY_VOID(create_seed(path));
  return load_simulator_seed(path);
}

Result<SecretBytes> load_simulator_seed(const std::filesystem::path& path) {
  TRY(text, read_file(path, 4096));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  Result<Bytes> seed = from_hex(text);
  if (!seed || seed->size() != kSeedSize) {
    return fail(ErrorCode::kIo,
                "simulator seed " + path.string() + " is corrupt: expected 64 hex digits, found " +
                    std::to_string(text.size()) + " bytes; remove the file to get a new seed (and new addresses)",
                path.string());
  }
  return SecretBytes(*seed);
}

}  // namespace cloister::tee
