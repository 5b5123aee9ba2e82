#include "codec/json_members.h"
#include "base/result_testing.h"

#include <gtest/gtest.h>

namespace cloister::codec {
namespace {

TEST(JsonMembers, AreReadAsTheyStand) {
  const std::string text =
      " {\"model\" : \"a\\\"}b\", \"n\":-1.5e3,\"x\":[1,{\"model\":\"in\"},\"]\"] ,\n\"mo\\u0064\":{ \"k\" :null},\"e\":true}\n ";
  const auto members = read_members(text);
  ASSERT_TRUE(members) << members.error().message;
  ASSERT_EQ(members->size(), 5u);
  EXPECT_EQ(find_member(*members, "model")->value, "\"a\\\"}b\"");
  EXPECT_EQ(find_member(*members, "n")->value, "-1.5e3");
  EXPECT_EQ(find_member(*members, "x")->value, "[1,{\"model\":\"in\"},\"]\"]");
  EXPECT_EQ(find_member(*members, "mod")->value, "{ \"k\" :null}");
  EXPECT_EQ(find_member(*members, "e")->value, "true");
  EXPECT_EQ(find_member(*members, "k"), nullptr);
  EXPECT_TRUE(read_members("{}")->empty());
  EXPECT_TRUE(read_members(" { } ")->empty());
}

TEST(JsonMembers, WhatTwoServersCouldReadDifferentlyIsRefused) {
  for (const char* text : {"", " ", "[]", "\"a\"", "{", "{\"a\":1}x", "{\"a\":1}{}", "{\"a\":1,\"a\":2}",
                           "{\"a\":1,\"b\":2,\"\\u0061\":3}", "{\"model\":\"x\",\"MODEL\":\"y\"}", "{\"a\":[}",
                           "{\"a\":}", "{\"a\" 1}", "{\"\\x\":1}", "{'a':1}", "{\"a\":1,/**/}"}) {
    const auto members = read_members(text);
    ASSERT_FALSE(members) << text;
    EXPECT_EQ(members.error().code, ErrorCode::kBadJson);
  }
  EXPECT_TRUE(read_members("{\"a\":{\"b\":1,\"b\":2}}")) << "what is deeper is not this function's to judge";
  std::string many = "{";
  for (std::size_t i = 0; i <= kMostMembers; ++i) many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  EXPECT_REFUSED(read_members(many + "}"), "expected at most 256 members");
}

}  // namespace
}  // namespace cloister::codec
