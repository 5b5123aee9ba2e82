#include "api/web_guard.h"

#include <gtest/gtest.h>

namespace cloister::api {
namespace {

int status_of(const WebGuard& guard, const char* method, http::Headers headers) {
  http::RequestHead head;
  head.method = method;
  head.headers = std::move(headers);
  const auto refusal = guard.refusal(head);
  return refusal ? refusal->status : 200;
}

TEST(WebGuard, AnswersToNamesOfTheLoopbackOnly) {
  const Cors cors({});
  const WebGuard guard(cors, {.tokens = false, .loopback = true, .hosts = {"node.example"}});
  for (const char* host :
       {"localhost", "LocalHost:1", "127.0.0.1:80", "[::1]", "a.localhost", "node.example:9", "cloister"}) {
    EXPECT_EQ(status_of(guard, "GET", {{"host", host}}), 200) << host;
  }
  for (const char* host :
       {"evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[fe80::1]", "[::ffff:127.0.0.1]", ""}) {
    EXPECT_EQ(status_of(guard, "GET", {{"host", host}}), 421) << host;
  }
  EXPECT_EQ(status_of(guard, "GET", {{"host", "cloister"}, {"referer", "http://cloister/"}}), 421);
  EXPECT_EQ(status_of(guard, "GET", {}), 200) << "HTTP/1.0";
  const WebGuard anywhere(cors, {.tokens = false, .loopback = false, .hosts = {}});
  EXPECT_EQ(status_of(anywhere, "GET", {{"host", "evil.example"}}), 200) << "its names are not known";
  const WebGuard locked(cors, {.tokens = true, .loopback = true, .hosts = {}});
  EXPECT_EQ(status_of(locked, "POST", {{"host", "evil.example"}, {"origin", "https://evil.example"}}), 200);
}

TEST(WebGuard, ForeignPagesMayNotAsk) {
  const Cors cors({});
  const WebGuard guard(cors, {.tokens = false, .loopback = false, .hosts = {}});
  EXPECT_EQ(status_of(guard, "POST", {{"host", "a:1"}, {"origin", "https://evil.example"}}), 403);
  EXPECT_EQ(status_of(guard, "POST", {{"host", "a:1"}, {"origin", "null"}}), 403);
  EXPECT_EQ(status_of(guard, "POST", {{"host", "a:1"}, {"origin", "http://a"}}), 403);
  EXPECT_EQ(status_of(guard, "POST", {{"host", "a:1"}, {"origin", "http://a:1"}}), 200);
  EXPECT_EQ(status_of(guard, "POST", {{"host", "a:1"}, {"origin", "http://localhost:3000"}}), 200);
  EXPECT_EQ(status_of(guard, "POST", {{"host", "a:1"}}), 200);
  EXPECT_EQ(status_of(guard, "GET", {{"host", "a:1"}, {"origin", "https://evil.example"}}), 200);
  EXPECT_EQ(status_of(guard, "POST", {{"host", "a:1"}, {"origin", "http://localhost:80, http://evil.com"}}), 403);
}

TEST(WebGuard, TwoOriginsAreOneTooMany) {
  const Cors cors({});
  for (const bool tokens : {false, true}) {
    const WebGuard guard(cors, {.tokens = tokens, .loopback = false, .hosts = {}});
    for (const char* method : {"GET", "POST", "OPTIONS"}) {
      EXPECT_EQ(status_of(guard, method, {{"host", "a:1"}, {"origin", "http://a:1"}, {"origin", "http://a:1"}}), 400);
    }
  }
}

}  // namespace
}  // namespace cloister::api
