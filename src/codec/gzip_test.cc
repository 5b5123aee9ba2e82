#include "codec/gzip.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"

namespace cloister::codec {
namespace {

// The text below, compressed by another program: a block with codes of its own.
constexpr std::string_view kDynamic =
    "1f8b08000000000002035d93bb6d05310c045b510117883fe9548e013b70683fb87f6b2fd2bc500441ceae96bdbd7efe3e7ebf3edbf7ab"
    "f5abd9f9b6abf9f9ceabc5f95e574bf48fabd559f0bada380bb13b2646ee19f759187bc93a0bf7a6b08e355da024757501d6724fb220df"
    "de66445e9bc8082d6a1bd4a12e80fbad59400fd7c645bdf210f4297a077da6ba68f5bd6739e8cbf746077dcdcde5a01fa277d08fa70bf4"
    "f39905faf96ca4f5e20ad02fd107e8973406bdefb222687e976341f74dc646f12ba520066bfaa680040bfd66dc6f7faebd1061a56c2413"
    "34242319a1a1a425754cc531a9e35666f32d450a7632465d3a9239329d483248de350f3a3cbaf6428767df7cd5994be928e8f0f1f44187"
    "4fcdab6080b5b7a0c3d773c2d0118f8ee2199bf4d67c4bbfe6f12242fe154f22e5f33f1b5d831d78040000";
constexpr std::string_view kStored = "1f8b0800000000000403010f00f0ff73746f7265642061732069742069736578d15a0f000000";
constexpr std::string_view kFixedCodes = "1f8b08000000000002034b4c4a4e44450004c026dc12000000";

std::string squares() {
  std::string out;
  for (int i = 0; i < 60; ++i) out += std::to_string(i) + " squared is " + std::to_string(i * i) + ", ";
  return out;
}

Result<Bytes> unpack(std::string_view hex, std::size_t limit = 4096) {
  return unpack_gzip(from_hex(hex).value(), limit);
}

TEST(Gzip, UnpacksEveryKindOfBlock) {
  EXPECT_EQ(as_text(unpack(kDynamic).value()), squares());
  EXPECT_EQ(as_text(unpack(kStored).value()), "stored as it is");
  EXPECT_EQ(as_text(unpack(kFixedCodes).value()), "abcabcabcabcabcabc");
}

TEST(Gzip, HoldsTheBound) {
  const std::size_t size = squares().size();
  EXPECT_TRUE(unpack(kDynamic, size));
  EXPECT_REFUSED(unpack(kDynamic, size - 1), "gzip: the content has more than 1143 bytes");
}

TEST(Gzip, RefusesWhatIsCutOrChanged) {
  const Bytes whole = from_hex(kDynamic).value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_REFUSED(unpack_gzip(ByteView(whole).first(size), 4096), "gzip: the text ends early") << size;
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_REFUSED(unpack_gzip(longer, 4096), "gzip: 1 bytes stand behind the end");
  // The parser checks the magic, the method and the flags of the head. It notices a change of any byte after the head.
  for (std::size_t i = 10; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes changed = whole;
      changed[i] ^= static_cast<std::uint8_t>(1u << bit);
      const Result<Bytes> content = unpack_gzip(changed, 4096);
      EXPECT_FALSE(content && as_text(*content) != squares()) << i;
    }
  }
}

TEST(Gzip, TakesOneMemberOfTheOneFormat) {
  EXPECT_REFUSED(unpack(std::string(kFixedCodes) + std::string(kFixedCodes)), "gzip: 25 bytes stand behind the end");
  EXPECT_REFUSED(unpack("789c4b4c4a4e4a4c4a0600084b024d"),
                 "gzip: incorrect header check");                              // zlib's own wrapper (RFC 1950)
  EXPECT_REFUSED(unpack("4b4c4a4e44450004"), "gzip: incorrect header check");  // no wrapper
  EXPECT_REFUSED(unpack("1f8b08e000000000020" + std::string(kFixedCodes.substr(19))),
                 "gzip: unknown header flags set");  // flags that RFC 1952 reserves
}

// A short text that would fill the memory is refused at the limit.
TEST(Gzip, ABombIsRefusedAtTheBound) {
  std::string hex = "1f8b0800000000000203edc1010d000000c2a0f74f6d0e37a0";
  hex += std::string(2 * 1000, '0');
  EXPECT_REFUSED(unpack(hex, 1000), "gzip: the content has more than 1000 bytes");
}

}  // namespace
}  // namespace cloister::codec
