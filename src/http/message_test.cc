#include "http/message.h"

#include <gtest/gtest.h>

#include "http/client.h"
#include "http/response_writer.h"

namespace cloister::http {
namespace {

TEST(Query, SplitsAndDecodes) {
  const auto pairs = parse_query("a=1&b=x%20y+z&&c&=d&e=%zz%4&a=2&f=%C3%A9=%3D");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "1"}, {"b", "x y z"}, {"c", ""}, {"", "d"}, {"e", "%zz%4"}, {"a", "2"}, {"f", "\xC3\xA9=="}};
  EXPECT_EQ(pairs, expected);
  EXPECT_EQ(query_value("a=1&a=2", "a"), "1");
  EXPECT_EQ(query_value("a=1", "b"), std::nullopt);
  EXPECT_TRUE(parse_query("").empty());
}

TEST(Urls, TakesWhatTheyMayBe) {
  const auto plain = parse_url("http://example.com");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "example.com");
  EXPECT_EQ(plain->port, 80);
  EXPECT_EQ(plain->base_path, "");
  const auto full = parse_url("https://a-b.example:8443/base/path//");
  ASSERT_TRUE(full);
  EXPECT_TRUE(full->tls);
  EXPECT_EQ(full->port, 8443);
  EXPECT_EQ(full->base_path, "/base/path");
  EXPECT_EQ(parse_url("https://h")->port, 443);
  const auto v6 = parse_url("http://[::1]:81/");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 81);
}

TEST(Urls, OfUnixSockets) {
  const auto url = parse_unix_url("unix:/run/vllm.sock");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->unix_socket, "/run/vllm.sock");
  EXPECT_EQ(url->host, "localhost");
  EXPECT_EQ(url->base_path, "");
  EXPECT_FALSE(url->tls);
  EXPECT_TRUE(parse_unix_url("unix:/" + std::string(106, 'x')));
  for (const std::string& text :
       {std::string(""), std::string("unix:"), std::string("unix:run/x"), std::string("unix:///run/x"),
        std::string("unix:/"), std::string("unix:/run/"), std::string("http://h"), std::string("unix:/a b"),
        std::string("unix:/a\0b", 9), "unix:/" + std::string(107, 'x')}) {
    const auto refused = parse_unix_url(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kBadUrl) << text;
  }
}

TEST(Urls, RefusesTheRest) {
  for (const char* text : {"",
                           "example.com",
                           "ftp://x",
                           "http://",
                           "http:///a",
                           "http://:80",
                           "http://h:",
                           "http://h:0",
                           "http://h:65536",
                           "http://h:8x",
                           "http://h:1:2",
                           "http://[::1",
                           "http://[zz]",
                           "http://[::1]x",
                           "http://h/a?b",
                           "http://h/#a",
                           "http://h/a b",
                           "http://h\r\nx",
                           "http://h/\r\n",
                           "http://a b/"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kBadUrl) << text;
  }
  // The message does not repeat a password.
  EXPECT_EQ(parse_url("http://me:hunter2@h").error().message.find("hunter2"), std::string::npos);
}

TEST(ResponseHead, SaysTheDateAsHttpDoes) {
  DateCache dates;
  const std::string date(dates.now());
  ASSERT_EQ(date.size(), 29u) << date;
  EXPECT_TRUE(date.ends_with(" GMT"));
  EXPECT_EQ(date.substr(3, 2), ", ");
}

TEST(ResponseHead, NeverSendsAnImpossibleStatus) {
  for (const int status : {0, 99, 100, 199, 600, -1}) {
    Response response;
    response.status = status;
    std::string out;
    append_head(out, response, {}, "now");
    EXPECT_TRUE(out.starts_with("HTTP/1.1 500 Internal Server Error\r\n")) << status;
  }
}

}  // namespace
}  // namespace cloister::http
