#include "identity/executable_digest.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/file_descriptor.h"
#include "crypto/hash.h"

namespace cloister::identity {
namespace {

constexpr const char* kSelf = "/proc/self/exe";
constexpr std::size_t kPiece = 1u << 20;

}  // namespace

Result<ByteArray<32>> executable_digest() {
  const FileDescriptor file(::open(kSelf, O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(ErrorCode::kIo, std::string(kSelf) + ": cannot open: " + strerror(errno), kSelf);
  crypto::Sha256 hash;
  Bytes piece(kPiece);
  while (true) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::kIo, std::string(kSelf) + ": cannot read: " + strerror(errno), kSelf);
    if (got == 0) return hash.finish();
    hash.update(ByteView(piece).first(static_cast<std::size_t>(got)));
  }
}

}  // namespace cloister::identity
