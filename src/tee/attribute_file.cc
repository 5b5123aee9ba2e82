#include "tee/attribute_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/file_descriptor.h"

namespace cloister::tee {
namespace {

constexpr auto kPause = std::chrono::milliseconds(5);

bool may_pass(int code) { return code == ENOENT || code == EBUSY || code == EAGAIN || code == EINTR; }

Error failed(const char* what, const std::filesystem::path& path, int code) {
  return fail(ErrorCode::kTeeFailed, std::string("cannot ") + what + " " + path.string() + ": " + strerror(code),
              path.string());
}

// 0, or the errno of the step that failed; EFBIG beyond the limit.
int read_once(const std::filesystem::path& path, std::size_t limit, std::string& out) {
  out.clear();
  // Non-blocking, so that an attribute without data says so instead of blocking past the deadline.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return errno;
  char chunk[16384];
  while (true) {
    const ssize_t got = ::read(file.get(), chunk, sizeof(chunk));
    if (got < 0) return errno;
    if (got == 0) return 0;
    if (out.size() + static_cast<std::size_t>(got) > limit) return EFBIG;
    out.append(chunk, static_cast<std::size_t>(got));
  }
}

int write_once(const std::filesystem::path& path, ByteView bytes) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return errno;
  const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
  if (written < 0) return errno;
  return written == static_cast<ssize_t>(bytes.size()) ? 0 : EIO;
}

template <typename Attempt>
Result<void> until(Deadline deadline, const char* what, const std::filesystem::path& path, Attempt attempt) {
  while (true) {
    const int code = attempt();
    if (code == 0) return {};
    if (!may_pass(code)) return failed(what, path, code);
    if (std::chrono::steady_clock::now() + kPause >= deadline) {
      return fail(ErrorCode::kTimeout,
                  std::string("gave up waiting to ") + what + " " + path.string() + ": " + strerror(code),
                  path.string());
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

Result<std::string> read_attribute(const std::filesystem::path& path, std::size_t limit_bytes, Deadline deadline) {
  std::string out;
  TRY_VOID(until(deadline, "read", path, [&] { return read_once(path, limit_bytes, out); }));
  return out;
}

Result<void> write_attribute(const std::filesystem::path& path, ByteView bytes, Deadline deadline) {
  return until(deadline, "write", path, [&] { return write_once(path, bytes); });
}

}  // namespace cloister::tee
