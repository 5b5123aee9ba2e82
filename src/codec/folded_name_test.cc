#include "codec/folded_name.h"

#include <gtest/gtest.h>

namespace cloister::codec {
namespace {

TEST(FoldedName, IsWhatAParserReadsThatTakesNoNoticeOfTheCase) {
  EXPECT_EQ(folded_name("MODEL"), "model");
  EXPECT_EQ(folded_name("U\xc5\xbf"
                        "age"),
            "usage");
  EXPECT_EQ(folded_name("\xe2\x84\xaa"
                        "ey"),
            "key");
  EXPECT_EQ(folded_name("\xc3\x9cmodel"), "\xc3\x9cmodel");
  EXPECT_EQ(folded_name(""), "");
}

TEST(FoldedName, IsComparedWithoutACopy) {
  for (const char* name : {"Usage", "USAGE",
                           "u\xc5\xbf"
                           "age",
                           "usag\x45"})
    EXPECT_TRUE(is_same_but_for_case(name, "usage")) << name;
  for (const char* name : {"usage", "usages", "Usag", "", "us\xc5",
                           "U\xc5\xbf"
                           "ages"})
    EXPECT_FALSE(is_same_but_for_case(name, "usage")) << name;
}

}  // namespace
}  // namespace cloister::codec
