#include "api/envelope.h"

#include <gtest/gtest.h>

namespace cloister::api {
namespace {

TEST(Envelope, ReadsModelAndStream) {
  auto envelope = read_envelope(R"({"model":"m:1","stream":true,"anything":[{}]})");
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->model, "m:1");
  EXPECT_TRUE(envelope->stream);
  auto bare = read_envelope(R"({"model":null})");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->model, "");
  EXPECT_FALSE(bare->stream);
}

TEST(Envelope, RefusesWhatIsNoRequest) {
  struct Case {
    std::string body;
    ErrorCode code;
    const char* param;
  };
  const Case cases[] = {
      {"", ErrorCode::kBadJson, ""},
      {"{", ErrorCode::kBadJson, ""},
      {"[]", ErrorCode::kBadJson, ""},
      {"{} x", ErrorCode::kBadJson, ""},
      {R"({"a":1,"a":2})", ErrorCode::kBadJson, ""},
      {"{\"a\":\"\xff\"}", ErrorCode::kBadJson, ""},
      {R"({"x":)" + std::string(5000, '[') + std::string(5000, ']') + "}", ErrorCode::kBadJson, ""},
      {R"({"model":5})", ErrorCode::kInvalidRequest, "model"},
      {R"({"stream":"yes"})", ErrorCode::kInvalidRequest, "stream"},
  };
  for (const Case& c : cases) {
    auto envelope = read_envelope(c.body);
    ASSERT_FALSE(envelope) << c.body;
    EXPECT_EQ(envelope.error().code, c.code) << c.body;
    EXPECT_EQ(envelope.error().param, c.param) << c.body;
    EXPECT_FALSE(envelope.error().message.empty());
  }
}

}  // namespace
}  // namespace cloister::api
