#include "codec/msgpack.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"

namespace cloister::codec {
namespace {

Result<Json> parse(std::string_view hex) { return parse_msgpack(from_hex(hex).value()); }

TEST(Msgpack, ReadsEveryTypeThatIsUsed) {
  EXPECT_EQ(*parse("7f"), 127);
  EXPECT_EQ(*parse("ff"), -1);
  EXPECT_EQ(*parse("cc80"), 128);
  EXPECT_EQ(*parse("cdffff"), 65535);
  EXPECT_EQ(*parse("ce08000001"), 134217729);
  EXPECT_EQ(*parse("cfffffffffffffffff"), 18446744073709551615u);
  EXPECT_EQ(*parse("d080"), -128);
  EXPECT_EQ(*parse("d3ffffffffffffffff"), -1);
  EXPECT_TRUE(parse("c0")->is_null());
  EXPECT_EQ(*parse("c3"), true);
  EXPECT_EQ(*parse("a3616263"), "abc");
  EXPECT_EQ(*parse("d903616263"), "abc");
  EXPECT_EQ(*parse("93010203"), Json::parse("[1,2,3]"));
  EXPECT_EQ(*parse("dc000101"), Json::parse("[1]"));
  EXPECT_EQ(*parse("81a16101"), Json::parse(R"({"a":1})"));
  EXPECT_EQ(parse("c403010203")->get_binary().size(), 3U);
}

TEST(Msgpack, RefusesTheRest) {
  for (const char* hex :
       {"", "c1", "ca00000000", "d40000", "c7000000", "0101", "a261", "92", "9201", "81a161", "8101a161",
        "82a16101a16102", "a1ff", "df7fffffff", "ddffffffff01", "c6ffffffff00", "dbffffffff61"}) {
    EXPECT_FALSE(parse(hex)) << hex;
  }
  EXPECT_REFUSED(parse_msgpack(Bytes(1 << 20, 0x91)), "MessagePack: it is nested too deeply");  // arrays in arrays
  EXPECT_REFUSED(parse_msgpack(from_hex("93010203").value(), {.max_depth = 16, .max_values = 3}),
                 "MessagePack: it has too many values");
}

}  // namespace
}  // namespace cloister::codec
