// A separate program computed the expected roots, recursively as RFC 9162 section 2.1.1 defines them.
#include "evidence/file_tree.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "base/encoding.h"
#include "base/file_descriptor.h"
#include "evidence/merkle_tree.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kMiB = 1u << 20;

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i % 251 * 7);
  return out;
}

// An open file without a name.
class OpenFile {
 public:
  explicit OpenFile(std::string_view bytes) : fd_(make()) {
    EXPECT_EQ(::pwrite(fd_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  int get() const { return fd_.get(); }

 private:
  static int make() {
    std::string name = "/tmp/cloister_tree_XXXXXX";
    const int fd = ::mkstemp(name.data());
    EXPECT_GE(fd, 0);
    ::unlink(name.c_str());
    return fd;
  }
  FileDescriptor fd_;
};

TEST(FileTree, RootsAreThoseOfTheRfc) {
  const std::pair<std::size_t, const char*> expected[] = {
      {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {1, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"},
      {2, "a20bf9a7cc2dc8a08f5f415a71b19f6ac427bab54d24eec868b5d3103449953a"},
      {3, "3b6cccd7e3e023ff393006f030315ee7ad9eb111b022b41fba7e5b7a3973f688"},
      {5, "b855b42d6c30f5b087e05266783fbd6e394f7b926013ccaa67700a8b0c5a596f"},
      {7, "3560191803028444b232018ac047fdb561c09c23a7a6876c85e08b5e4d48e9f3"},
      {8, "ef7f49b620f6c7ea9b963a214da34b5021c6ded8ed57734380a311ab726aa907"},
  };
  for (const auto& [count, root] : expected) {
    std::vector<ByteArray<32>> leaves;
    for (std::size_t i = 0; i < count; ++i) leaves.push_back(merkle_leaf(Bytes{static_cast<std::uint8_t>(i)}));
    EXPECT_EQ(to_hex(merkle_root(leaves)), root) << count << " leaves";
  }
}

TEST(FileTree, FilesOfEverySizeAroundAChunkByAnyNumberOfThreads) {
  const std::pair<std::size_t, const char*> expected[] = {
      {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {1, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"},
      {kMiB - 1, "9a34eae0c629d631ed8d10f87af44271c834e6561043bfede44d385d12e2608a"},
      {kMiB, "95ad58c05ff864acf3919ed736e7ee27fe40c41ebdb65ab20d43bf0a02c294cf"},
      {kMiB + 1, "e6fc74231dca00021b387bdb698c415bc20b71571e680e405aeff6d841819f61"},
      {3 * kMiB + 5, "cf5d9a2a591395e54162d97edb94356d656357af60494eb88f4c6c1b1cfc57f0"},
  };
  for (const auto& [size, root] : expected) {
    const OpenFile file(pattern(size));
    for (const int threads : {0, 1, 3, 16}) {
      std::atomic<std::uint64_t> done{0};
      const auto digest =
          hash_file_tree(file.get(), size, {.threads = threads, .low_priority = threads == 3, .done = &done});
      ASSERT_TRUE(digest) << digest.error().message;
      EXPECT_EQ(to_hex(*digest), root) << size << " bytes, " << threads << " threads";
      EXPECT_EQ(done, size);
    }
  }
}

TEST(FileTree, AnyOtherByteIsAnotherRoot) {
  std::string bytes = pattern(2 * kMiB + 9);
  const auto genuine = hash_file_tree(OpenFile(bytes).get(), bytes.size(), {});
  for (const std::size_t at : {std::size_t{0}, kMiB - 1, kMiB, 2 * kMiB, bytes.size() - 1}) {
    bytes[at] ^= 1;
    EXPECT_NE(*hash_file_tree(OpenFile(bytes).get(), bytes.size(), {}), *genuine) << at;
    bytes[at] ^= 1;
  }
  EXPECT_NE(*hash_file_tree(OpenFile(bytes).get(), bytes.size() - 1, {}), *genuine);
}

TEST(FileTree, AFileThatEndsEarlyIsAnError) {
  const OpenFile file(pattern(kMiB + 7));
  const auto digest = hash_file_tree(file.get(), kMiB + 8, {});
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().code, ErrorCode::kIo);
  EXPECT_EQ(hash_file_tree(-1, 1, {}).error().code, ErrorCode::kIo);
}

TEST(FileTree, EndsWhenItIsStopped) {
  const OpenFile file(pattern(4 * kMiB));
  const std::atomic<bool> stop{true};
  EXPECT_EQ(hash_file_tree(file.get(), 4 * kMiB, {.stop = &stop}).error().code, ErrorCode::kCancelled);
  std::atomic<std::uint64_t> done{0};
  const auto up_to_two = [](std::uint64_t end) { return end <= 2 * kMiB; };
  EXPECT_EQ(hash_file_tree(file.get(), 4 * kMiB, {.threads = 1, .may_read = up_to_two, .done = &done}).error().code,
            ErrorCode::kCancelled);
  EXPECT_EQ(done, 2 * kMiB);
}

}  // namespace
}  // namespace cloister::evidence
