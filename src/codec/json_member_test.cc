#include "codec/json_member.h"

#include <gtest/gtest.h>

namespace cloister::codec {
namespace {

TEST(JsonMember, CutsTheValueAsItStands) {
  const std::string_view text = R"( {"a" : [1, {"gpu":2}] , "gpu": {"x" : "}\"", "y":[ ]} ,"n": 12 , "s":"t\\"} )";
  EXPECT_EQ(find_member_text(text, "gpu"), R"({"x" : "}\"", "y":[ ]})");
  EXPECT_EQ(find_member_text(text, "a"), R"([1, {"gpu":2}])");
  EXPECT_EQ(find_member_text(text, "n"), "12");
  EXPECT_EQ(find_member_text(text, "s"), R"("t\\")");
}

TEST(JsonMember, IsAbsentWhereThereIsNone) {
  EXPECT_FALSE(find_member_text("{}", "gpu"));
  EXPECT_FALSE(find_member_text("[1]", "gpu"));
  EXPECT_FALSE(find_member_text(R"({"a":{"gpu":1}})", "gpu"));
  // Two parsers could disagree about such a name.
  EXPECT_FALSE(find_member_text(R"({"\u0067pu":1})", "gpu"));
}

}  // namespace
}  // namespace cloister::codec
