#include "engine/upstream/salt.h"

#include <gtest/gtest.h>

#include "codec/json.h"

namespace cloister::engine::upstream {
namespace {

TEST(Salt, IsOneATenantAndANode) {
  const Salter node;
  const ByteArray<16> mine{1}, other{2};
  EXPECT_EQ(node.salt(mine), node.salt(mine));
  EXPECT_NE(node.salt(mine), node.salt(other));
  EXPECT_NE(node.salt(mine), Salter().salt(mine));
  EXPECT_EQ(node.salt(mine).size(), 64u);
}

std::string inserted(const std::string& body) {
  const auto plan = plan_insertion(body, "s");
  EXPECT_TRUE(plan) << body;
  return body.substr(0, plan->position) + plan->text + body.substr(plan->position);
}

TEST(Salt, IsInsertedAndNothingElseChanges) {
  EXPECT_EQ(inserted(R"({"a":1})"), R"({"a":1,"cache_salt":"s"})");
  EXPECT_EQ(inserted("{}"), R"({"cache_salt":"s"})");
  EXPECT_EQ(inserted(" { \"a\" : { \"b\":\"}\" }\n} \r\n"), " { \"a\" : { \"b\":\"}\" }\n,\"cache_salt\":\"s\"} \r\n");
  // A salt in another place is no salt.
  EXPECT_EQ(inserted(R"({"m":{"cache_salt":"x"}})"), R"({"m":{"cache_salt":"x"},"cache_salt":"s"})");
  for (const char* body : {R"({"a":1})", "{}", R"({"messages":[{"content":"{\"cache_salt\":\"x\"}"}]})"}) {
    const auto json = codec::parse_json(inserted(body));
    ASSERT_TRUE(json) << body;
    EXPECT_EQ(json->at("cache_salt"), "s");
  }
}

TEST(Salt, TheClientsOwnIsRefused) {
  for (const char* body : {R"({"cache_salt":"x"})", R"({"a":1,"cache_salt":null})", R"({"cache\u005fsalt":"x"})",
                           R"({"\u0063ache_salt":["x"]})"}) {
    const auto plan = plan_insertion(body, "s");
    ASSERT_FALSE(plan) << body;
    EXPECT_EQ(plan.error().code, ErrorCode::kInvalidRequest);
    EXPECT_EQ(plan.error().param, "cache_salt");
  }
}

TEST(Salt, WhatIsNoObjectIsRefused) {
  for (const char* body :
       {"", "[]", "{", "{}}", "{\"a\":{}", "\xff\xfe{\0}\0", "--x\r\nContent-Disposition: form-data\r\n"}) {
    const auto plan = plan_insertion(body, "s");
    ASSERT_FALSE(plan) << body;
    EXPECT_EQ(plan.error().code, ErrorCode::kBadJson) << body;
  }
}

TEST(Salt, ModelOfABody) {
  EXPECT_EQ(model_of(R"({"messages":[{"model":"no"}],"model":"m"})"), "m");
  EXPECT_EQ(model_of("--multipart"), "");
}

}  // namespace
}  // namespace cloister::engine::upstream
