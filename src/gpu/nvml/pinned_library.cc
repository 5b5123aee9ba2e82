#include "gpu/nvml/pinned_library.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/file_descriptor.h"
#include "crypto/hash.h"

namespace cloister::gpu {
namespace {

constexpr std::size_t kMostBytes = 256u << 20;
constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
// From Linux 6.3 on a file in memory that is to be run has to say so.
constexpr unsigned kExecutable = 0x0010;

Error failed(const std::string& file, const char* what) {
  return fail(ErrorCode::kIo, file + ": " + what + ": " + std::strerror(errno), file);
}

FileDescriptor file_in_memory() {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = ::memfd_create("cloister-gpu-library", kFlags | kExecutable);
  return FileDescriptor(fd < 0 && errno == EINVAL ? ::memfd_create("cloister-gpu-library", kFlags) : fd);
}

}  // namespace

Result<PinnedLibrary> pin_library(const std::string& file) {
  std::error_code code;
  if (!std::filesystem::exists(file, code)) return fail(ErrorCode::kNoGpu, file + ": there is no such file", file);
  TRY(bytes, read_regular_file(file, kMostBytes));
  FileDescriptor copy = file_in_memory();
  if (copy.get() < 0) return failed(file, "no copy in memory can be made");
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(copy.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failed(file, "the copy in memory cannot be written");
    done += static_cast<std::size_t>(count);
  }
  if (::fcntl(copy.get(), F_ADD_SEALS, kSeals) != 0) return failed(file, "the copy in memory cannot be sealed");
  PinnedLibrary out;
  out.sha256 = crypto::sha256(as_bytes(bytes));
  out.path = "/proc/self/fd/" + std::to_string(copy.release());
  return out;
}

}  // namespace cloister::gpu
