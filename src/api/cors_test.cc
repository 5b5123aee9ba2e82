#include "api/cors.h"

#include <gtest/gtest.h>

namespace cloister::api {
namespace {

std::string allowed_for(const Cors& cors, std::string origin) {
  http::RequestHead request;
  request.headers = {{"origin", std::move(origin)}};
  http::Headers reply;
  cors.decorate(request, reply);
  return std::string(http::find_header(reply, "access-control-allow-origin").value_or(""));
}

TEST(Cors, PagesOfThisMachineByDefault) {
  Cors cors({});
  for (const char* origin : {"http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"}) {
    EXPECT_EQ(allowed_for(cors, origin), origin);
  }
  for (const char* origin :
       {"http://localhost.evil.example", "http://127.0.0.1.evil.example", "https://example.com", "null", "",
        "http://localhost:80, http://evil.com", "http://localhost:", "http://localhost:80/", "http://localhost:99999",
        "http://localhost:80 ", "http://[::1]:8443@evil.com", "http://127.0.0.1:+80", "http://localhost/"}) {
    EXPECT_EQ(allowed_for(cors, origin), "") << origin;
  }
}

TEST(Cors, TwoLinesAreNoOrigin) {
  http::RequestHead request;
  request.headers = {{"origin", "http://localhost:1"}, {"origin", "http://evil.example"}};
  for (const Cors& cors : {Cors({}), Cors({"*"}), Cors({"http://localhost:1"})}) {
    http::Headers reply;
    cors.decorate(request, reply);
    EXPECT_TRUE(reply.empty());
    EXPECT_FALSE(http::find_header(cors.preflight(request).headers, "access-control-allow-methods"));
  }
}

TEST(Cors, NamedOriginsAndAll) {
  EXPECT_EQ(allowed_for(Cors({"https://a.example"}), "https://a.example"), "https://a.example");
  EXPECT_EQ(allowed_for(Cors({"https://a.example"}), "https://b.example"), "");
  EXPECT_EQ(allowed_for(Cors({"*"}), "https://b.example"), "*");
}

TEST(Cors, PreflightNamesTheHeadersAskedFor) {
  http::RequestHead request;
  request.headers = {{"origin", "http://localhost:1"},
                     {"access-control-request-headers", "authorization,x-stainless-os"}};
  http::Response response = Cors({}).preflight(request);
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(http::find_header(response.headers, "access-control-allow-headers"), "authorization,x-stainless-os");
  request.headers[1].second = "x\r\nset-cookie: a";
  EXPECT_EQ(http::find_header(Cors({}).preflight(request).headers, "access-control-allow-headers"),
            "authorization, content-type");
}

TEST(Cors, PreflightFromElsewhereGetsNothing) {
  http::RequestHead request;
  request.headers = {{"origin", "https://evil.example"}};
  EXPECT_FALSE(http::find_header(Cors({}).preflight(request).headers, "access-control-allow-methods"));
}

}  // namespace
}  // namespace cloister::api
