#include "evidence/file_tree.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "crypto/hash.h"
#include "evidence/merkle_tree.h"

namespace cloister::evidence {
namespace {

constexpr std::array<std::uint8_t, 1> kLeaf = {0};  // evidence/merkle_tree.h
// How much is read at once: small enough to be hashed while it is still in the cache.
constexpr std::size_t kPiece = 128u << 10;
constexpr int kLowPriority = 10;

// The work that all threads of one file share.
class TreeWork {
 public:
  TreeWork(int fd, std::uint64_t size, const FileTreeOptions& options)
      : fd_(fd), size_(size), options_(options), leaves_((size + kFileTreeChunk - 1) / kFileTreeChunk) {}

  // One thread's share: it takes chunks in the order of the file, so that all threads together read it from front to back.
  void run() {
    crypto::Sha256 hasher;
    std::vector<std::uint8_t> piece(kPiece);
    while (true) {
      const std::size_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= leaves_.size() || failed_.load(std::memory_order_relaxed)) return;
      const std::uint64_t begin = std::uint64_t{chunk} * kFileTreeChunk;
      const std::uint64_t end = std::min<std::uint64_t>(size_, begin + kFileTreeChunk);
      if (is_stopped() || (options_.may_read && !options_.may_read(end))) {
        return give_up(fail(ErrorCode::kCancelled, "hashing was stopped"));
      }
      hasher.update(kLeaf);
      for (std::uint64_t at = begin; at < end;) {
        const ssize_t got =
            ::pread(fd_, piece.data(), std::min<std::uint64_t>(kPiece, end - at), static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return give_up(fail(ErrorCode::kIo, std::string("a read failed: ") + std::strerror(errno)));
        if (got == 0) return give_up(fail(ErrorCode::kIo, "it has become shorter while it was hashed"));
        hasher.update({piece.data(), static_cast<std::size_t>(got)});
        at += static_cast<std::uint64_t>(got);
      }
      leaves_[chunk] = hasher.finish();
      if (options_.done != nullptr) options_.done->fetch_add(end - begin, std::memory_order_relaxed);
    }
  }

  // Called after all threads have ended.
  Result<ByteArray<32>> root() {
    if (error_) return *error_;
    return merkle_root(leaves_);
  }

 private:
  bool is_stopped() const { return options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed); }
  void give_up(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    failed_ = true;
  }

  const int fd_;
  const std::uint64_t size_;
  const FileTreeOptions& options_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::vector<ByteArray<32>> leaves_;  // each written by the thread that took its chunk
  std::mutex mutex_;
  std::optional<Error> error_;
};

}  // namespace

Result<ByteArray<32>> hash_file_tree(int fd, std::uint64_t size, const FileTreeOptions& options) {
  TreeWork work(fd, size, options);
  const std::uint64_t chunks = (size + kFileTreeChunk - 1) / kFileTreeChunk;
  const std::uint64_t wanted = options.threads > 0 ? static_cast<std::uint64_t>(options.threads)
                                                   : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < std::min(wanted, chunks); ++i) {
    threads.emplace_back([&work, low = options.low_priority] {
      // Linux keeps a priority for each thread, so this lowers the priority of this thread alone.
      if (low) ::setpriority(PRIO_PROCESS, 0, kLowPriority);
      work.run();
    });
    ::pthread_setname_np(threads.back().native_handle(), "hash-file");
  }
  for (std::thread& thread : threads) thread.join();
  return work.root();
}

}  // namespace cloister::evidence
