// What was read as a secret is nowhere in the memory that the reader used. Looks at every block that is given back.
#include <gtest/gtest.h>
#include <malloc.h>
#include <string.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "codec/json.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLOISTER_OWN_ALLOCATOR 1  // the sanitizer's
#endif

namespace {

constexpr char kSecret[] = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
// Part of it, not from its beginning: the allocator writes there.
constexpr std::size_t kPart = 24;
std::atomic<bool> looking = false;
std::atomic<int> found = 0;

[[maybe_unused]] void give_back(void* memory) {
  if (memory != nullptr && looking && ::memmem(memory, ::malloc_usable_size(memory), kSecret + kPart, kPart) != nullptr) ++found;
  std::free(memory);
}

}  // namespace

#ifndef CLOISTER_OWN_ALLOCATOR
void* operator new(std::size_t size) {
  // Not what was there before.
  if (void* memory = std::calloc(size == 0 ? 1 : size, 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
#endif

namespace cloister::codec {
namespace {

using Read = Result<Json> (*)(std::string_view, const JsonLimits&);

// How many blocks hold it after `read` and wipe(). On a thread of its own, with whose end its buffers go, too.
int blocks_left(Read read, const std::string& text, const JsonLimits& limits = {}) {
  found = 0;
  std::thread([&] {
    looking = true;
    {
      auto value = read(text, limits);
      if (value) wipe(*value);
    }
  }).join();
  looking = false;
  return found;
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\":\"" + kSecret + "\""; }

class SecretJson : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef CLOISTER_OWN_ALLOCATOR
    GTEST_SKIP() << "blocks are looked at in builds without sanitizers";
#endif
  }
};

TEST_F(SecretJson, TheOrdinaryReaderKeepsWhatItRead) {
  EXPECT_GT(blocks_left(parse_json, "{" + quoted("key") + "}"), 0) << "this test sees nothing";
}

TEST_F(SecretJson, NothingStays) {
  const std::string one = "{" + quoted("key") + R"(,"chain":["a","b"],"more":{"n":1}})";
  // Long texts, in which the secret's place is another one; and a secret whose text is not its value.
  const std::string behind = R"({"a":")" + std::string(70'000, 'x') + "\"," + quoted("key") + "}";
  const std::string escaped = R"({"key":"\u0030\")" + std::string(kSecret) + "\"}";
  for (const std::string& text : {one, behind, escaped}) EXPECT_EQ(blocks_left(parse_secret_json, text), 0);
}

TEST_F(SecretJson, NothingStaysOfWhatIsRefused) {
  const std::string open = "{" + quoted("key") + ",";
  for (const std::string& text : {open, open + "}", open + R"("a":tru})", open + R"("a":1,"a":2})", open + "\"a\":\"\xff\"}",
                                  "{" + quoted("key") + "} x", "\"" + std::string(kSecret)}) {
    ASSERT_FALSE(parse_secret_json(text));
    EXPECT_EQ(blocks_left(parse_secret_json, text), 0) << text;
  }
  const std::string nested = "[" + open + R"("a":[[[]]]}])";
  EXPECT_EQ(blocks_left(parse_secret_json, nested, {.max_depth = 3}), 0);
  EXPECT_EQ(blocks_left(parse_secret_json, "{" + quoted("key") + "}", {.max_values = 1}), 0) << "the secret is one too many";
}

TEST(ParseSecretJson, ReadsTheSameAndSaysLess) {
  const std::string text = R"({"b":[1,-2,3.5,true,null,"x"],"a":{"z":{}}})";
  const auto value = parse_secret_json(text);
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(write_json(*value), text);
  for (const std::string& bad : {std::string(), std::string("{"), std::string("1\0", 2), std::string("\xEF\xBB\xBF{}"), std::string("\"\xff\""),
                                 std::string(R"({"a":1,"a":2})"), "\"" + std::string(1u << 20, 'x') + "\""}) {
    const auto refused = parse_secret_json(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kBadJson);
  }
  EXPECT_EQ(parse_secret_json("[[]]", {.max_bytes = 3}).error().code, ErrorCode::kTooLarge);
}

TEST(Wipe, OverwritesTextsOnEveryLevel) {
  Json value = {{"a", kSecret}, {"b", {1, kSecret, {{"c", kSecret}}}}};
  wipe(value);
  EXPECT_EQ(write_json(value).find(std::string(kSecret, 8)), std::string::npos);
  EXPECT_EQ(value["a"].get<std::string>(), std::string(sizeof kSecret - 1, '\0'));
}

}  // namespace
}  // namespace cloister::codec
