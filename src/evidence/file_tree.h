// The digest of a large file as a Merkle tree (docs/spec/model-identity.md): SHA-256, hashed as RFC 9162 section 2.1
// hashes trees (0x00 before a leaf's bytes, 0x01 before two nodes). The leaves are chunks of 1 MiB; the last one may be
// shorter. With a tree several threads can hash one file, in any order.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::evidence {

inline constexpr std::string_view kFileTreeName = "sha256-rfc9162-1mib";
inline constexpr std::size_t kFileTreeChunk = 1u << 20;

struct FileTreeOptions {
  int threads = 0;  // 0: as many as the machine has cores
  // Makes the threads yield to others that want the cores.
  bool low_priority = false;
  // The threads call it before they read up to this offset; it may block. False ends the hashing with kCancelled.
  std::function<bool(std::uint64_t end)> may_read = {};
  std::atomic<std::uint64_t>* done = nullptr;  // counts the hashed bytes
  const std::atomic<bool>* stop = nullptr;     // setting it ends the hashing with kCancelled
};

// The root over the first `size` bytes of the open file, which are read by pread: the file's offset does not matter and does
// not change. kIo when a read fails or the file is shorter. Blocks; uses 128 KiB for each thread and 32 bytes for each chunk.
Result<ByteArray<32>> hash_file_tree(int fd, std::uint64_t size, const FileTreeOptions& options);

}  // namespace cloister::evidence
