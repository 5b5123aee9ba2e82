#include "serve/relayed_request.h"

#include <gtest/gtest.h>

namespace cloister::serve {
namespace {

TEST(RelayedRequest, ReadsTheModelAndWhatAsksForProtection) {
  const auto request = read_relayed_request(
      R"({"messages":[{"model":"in"}],"mod\u0065l":"org\/name","provider":{"aci_verified":true},"x":1})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->model, "org/name");
  EXPECT_EQ(request->protections, (Json{{"provider", {{"aci_verified", true}}}}));
  EXPECT_FALSE(read_relayed_request("{}")->model);
  EXPECT_FALSE(read_relayed_request(R"({"model":null})")->model);
  EXPECT_FALSE(read_relayed_request(R"({"model":""})")->model);
}

TEST(RelayedRequest, RefusesWhatAnotherServerCouldReadDifferently) {
  struct Row {
    std::string body;
    ErrorCode code;
    const char* param;
  };
  const Row table[] = {
      {R"({"model":"a","model":"b"})", ErrorCode::kBadJson, "model"},
      {R"({"model":"a","Model":"b"})", ErrorCode::kBadJson, "Model"},
      {R"({"MODEL":"b"})", ErrorCode::kInvalidRequest, "MODEL"},
      {R"({"model":5})", ErrorCode::kInvalidRequest, "model"},
      {"{\"model\":\"\xff\"}", ErrorCode::kInvalidRequest, "model"},
      {R"({"model":"\ud800"})", ErrorCode::kInvalidRequest, "model"},
      {"", ErrorCode::kBadJson, ""},
      {"[]", ErrorCode::kBadJson, ""},
      {"{}x", ErrorCode::kBadJson, ""},
  };
  for (const Row& row : table) {
    const auto request = read_relayed_request(row.body);
    ASSERT_FALSE(request) << row.body;
    EXPECT_EQ(request.error().code, row.code) << row.body;
    EXPECT_EQ(request.error().param, row.param) << row.body;
  }
}

}  // namespace
}  // namespace cloister::serve
