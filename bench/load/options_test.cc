#include "load/options.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"

namespace cloister::bench {
namespace {

TEST(ParseTarget, TakesLoopbackAddressesOnly) {
  const auto target = parse_target("http://127.0.0.1:8080/v1/completions");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->endpoint.port(), 8080);
  EXPECT_EQ(target->authority, "127.0.0.1:8080");
  EXPECT_EQ(target->path, "/v1/completions");
  EXPECT_EQ(parse_target("http://127.0.0.1:1").value().path, "/v1/chat/completions");
  for (const auto url : {"http://192.0.2.1:80/", "http://localhost:80/", "https://127.0.0.1:80/", "http://127.0.0.1/",
                         "http://127.0.0.1:99999/", "http://127.0.0.1:x/", ""}) {
    EXPECT_FALSE(parse_target(url).has_value()) << url;
  }
}

TEST(RequestMaker, BuildsABodyOfTheAskedLength) {
  Options options;
  const Target target = parse_target("http://127.0.0.1:80").value();
  for (const std::size_t size : {200u, 600u, 5000u}) {
    options.body_bytes = size;
    auto maker = RequestMaker::make(options, target, true);
    ASSERT_TRUE(maker.has_value());
    maker->next();
    EXPECT_EQ(maker->last_body().size(), size);
    EXPECT_EQ(Json::parse(maker->last_body())["stream"], true);
  }
}

TEST(RequestMaker, NumbersBodiesWithoutChangingTheirLength) {
  Options options;
  options.body_file = testing::TempDir() + "bench_options_test.json";
  ASSERT_TRUE(write_file_atomically(options.body_file, R"({"p":"@N@ and @N@"})", 0600).has_value());
  const Target target = parse_target("http://127.0.0.1:80").value();
  auto maker = RequestMaker::make(options, target, false);
  ASSERT_TRUE(maker.has_value());
  EXPECT_TRUE(maker->next().ends_with(R"({"p":"00000001 and 00000001"})"));
  EXPECT_TRUE(maker->next().ends_with(R"({"p":"00000002 and 00000002"})"));
  EXPECT_NE(maker->next().find("Content-Length: 29\r\n\r\n"), std::string::npos);
}

TEST(RequestMaker, AsksWithoutABody) {
  Options options;
  options.get = true;
  const Target target = parse_target("http://127.0.0.1:80/v1/attestation/report").value();
  auto maker = RequestMaker::make(options, target, false);
  ASSERT_TRUE(maker.has_value());
  EXPECT_EQ(maker->next(), "GET /v1/attestation/report HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n");
  EXPECT_EQ(maker->last_body(), "");
}

}  // namespace
}  // namespace cloister::bench
