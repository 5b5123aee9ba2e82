#include "api/endpoint.h"

#include <gtest/gtest.h>

namespace cloister::api {
namespace {

EndpointRegistry registry() {
  EndpointRegistry out;
  out.install({.method = "GET", .path = "/v1/models", .name = "models", .handle = {}});
  out.install({.method = "GET", .path = "/v1/signature/{id}", .name = "signature", .handle = {}});
  out.install({.method = "GET", .path = "/report", .name = "get", .handle = {}});
  out.install({.method = "POST", .path = "/report", .name = "post", .handle = {}});
  return out;
}

TEST(EndpointRegistry, FindsByMethodAndPath) {
  EndpointRegistry r = registry();
  EXPECT_EQ(r.find("GET", "/v1/models").endpoint->name, "models");
  EXPECT_EQ(r.find("HEAD", "/v1/models").endpoint->name, "models");
  EXPECT_EQ(r.find("POST", "/report").endpoint->name, "post");
  auto match = r.find("GET", "/v1/signature/chatcmpl-1");
  ASSERT_NE(match.endpoint, nullptr);
  EXPECT_EQ(match.path_argument, "chatcmpl-1");
}

TEST(EndpointRegistry, TellsUnknownPathsFromUnknownMethods) {
  EndpointRegistry r = registry();
  EXPECT_EQ(r.find("DELETE", "/report").endpoint, nullptr);
  EXPECT_EQ(r.find("DELETE", "/report").allowed_methods, "GET, POST");
  for (const char* path : {"/", "/v1/models/", "/v1/signature/", "/v1/signature/a/b", "/v1/signature"}) {
    EXPECT_EQ(r.find("GET", path).endpoint, nullptr) << path;
    EXPECT_EQ(r.find("GET", path).allowed_methods, "") << path;
  }
}

}  // namespace
}  // namespace cloister::api
