#include "codec/cbor.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"

namespace cloister::codec {
namespace {

using Kind = CborValue::Kind;

CborValue read(const std::string& hex) {
  const auto value = parse_cbor(*from_hex(hex));
  EXPECT_TRUE(value) << hex << ": " << value.error().message;
  return value ? *value : CborValue();
}

void expect_refused(const std::string& hex, std::string_view part) {
  const auto value = parse_cbor(*from_hex(hex));
  ASSERT_FALSE(value) << hex;
  EXPECT_EQ(value.error().code, ErrorCode::kBadRim);
  EXPECT_NE(value.error().message.find(part), std::string::npos)
      << value.error().message << " (expected: " << part << ")";
}

// RFC 8949, appendix A, as far as this parser accepts it.
TEST(Cbor, TheExamplesOfTheSpecification) {
  for (const auto& [hex, number] :
       std::vector<std::pair<std::string, std::int64_t>>{{"00", 0},
                                                         {"17", 23},
                                                         {"1818", 24},
                                                         {"18ff", 255},
                                                         {"190100", 256},
                                                         {"1a000f4240", 1000000},
                                                         {"1b000000e8d4a51000", 1000000000000},
                                                         {"20", -1},
                                                         {"29", -10},
                                                         {"3863", -100},
                                                         {"3903e7", -1000}}) {
    EXPECT_EQ(read(hex).integer(), number) << hex;
    EXPECT_EQ(to_hex(write_cbor(read(hex))), hex);
  }
  EXPECT_EQ(read("1bffffffffffffffff").number, 18446744073709551615u);
  EXPECT_EQ(read("1bffffffffffffffff").integer(), std::nullopt);
  EXPECT_EQ(read("4401020304").bytes, (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(read("6449455446").text, "IETF");
  EXPECT_EQ(read("64f0908591").text.size(), 4u);
  EXPECT_EQ(read("80").items.size(), 0u);
  EXPECT_EQ(read("8301820203820405").items[1].items[1].number, 3u);
  const CborValue map = read("a201020304");
  ASSERT_NE(map.member(3), nullptr);
  EXPECT_EQ(map.member(3)->number, 4u);
  EXPECT_EQ(map.member(2), nullptr);
  EXPECT_EQ(read("c11a514b67b0").tagged(1)->number, 1363896240u);
  EXPECT_EQ(read("c11a514b67b0").tagged(2), nullptr);
  EXPECT_EQ(read("f4").number, 0u);
  EXPECT_EQ(read("f5").number, 1u);
  EXPECT_TRUE(read("f6").is(Kind::kNull));
  for (const char* hex : {"40", "60", "a0", "8301820203820405", "a26161016162820203", "d818456449455446", "f5", "f6"}) {
    EXPECT_EQ(to_hex(write_cbor(read(hex))), hex);
  }
}

TEST(Cbor, OneSpellingOfEachValue) {
  for (const char* hex : {"1817", "190017", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3817", "5801ff", "7800",
                          "9800", "b800", "d81700"}) {
    expect_refused(hex, "longer than it need be");
  }
  for (const char* hex : {"5f4101ff", "7f6161ff", "9fff", "bfff", "1c", "1f", "3d", "ff"}) expect_refused(hex, "");
  for (const char* hex : {"f90000", "fa00000000", "fb0000000000000000", "f7", "e0", "f820"})
    expect_refused(hex, "simple");
}

TEST(Cbor, OtherFormsAreRefused) {
  expect_refused("", "cut off");
  for (const char* hex : {"18", "1900", "42ff", "6261", "8201", "a101", "a2010203", "c1"})
    expect_refused(hex, "cut off");
  for (const char* hex : {"9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff", "9a7fffffff"}) {
    expect_refused(hex, "cut off");
  }
  expect_refused("0000", "bytes follow");
  expect_refused("a201020103", "twice");
  expect_refused("a261610261610a", "twice");
  for (const char* hex : {"61ff", "62c080", "63eda080", "64f4908080", "61c3"}) expect_refused(hex, "UTF-8");
  std::string deep;
  for (int i = 0; i < 24; ++i) deep += "81";
  expect_refused(deep + "00", "24 levels");
}

TEST(Cbor, IsBounded) {
  Bytes wide;
  append_cbor_head(wide, 4, 70'000);
  wide.resize(wide.size() + 70'000, 0);
  EXPECT_REFUSED(parse_cbor(wide), "CBOR at offset 65540: more than 65536 items");
  EXPECT_REFUSED(parse_cbor(Bytes((2u << 20) + 1, 0)), "CBOR: expected at most 2 MiB");
  Bytes keys;
  append_cbor_head(keys, 5, 300);
  for (std::uint64_t i = 0; i < 300; ++i) {
    append_cbor_head(keys, 0, i);
    keys.push_back(0);
  }
  EXPECT_REFUSED(parse_cbor(keys), "CBOR at offset 923: a map of more than 256 keys");
}

}  // namespace
}  // namespace cloister::codec
