// A caller whose token is in a file is known without an allocation.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "api/auth.h"
#include "base/testing/counted_allocations.h"

namespace cloister::api {
namespace {

using cloister::testing::allocations;

http::RequestHead with_token(const std::string& token) {
  http::RequestHead head;
  head.headers.emplace_back("authorization", "Bearer " + token);
  return head;
}

TEST(BearerAuthMemory, AnAnswerAllocatesNothing) {
  const std::string path = ::testing::TempDir() + "cloister_bearer_memory." + std::to_string(::getpid());
  std::ofstream(path) << "first-token-1\nsecond-token-2\n";
  auto auth = BearerAuth::from_file(path, store::StoreKeys::of_this_process());
  ::unlink(path.c_str());
  ASSERT_TRUE(auth);
  struct Counting final : Authenticator::Done {
    void now(std::optional<Owner> caller) override { known += caller.has_value(); }
    Later later() override { return {}; }
    int known = 0;
  } done;
  Authenticator& authenticator = *auth;
  const http::RequestHead known = with_token("second-token-2"), unknown = with_token("no-such-token");
  authenticator.authenticate(known, done);
  const std::size_t before = allocations;
  EXPECT_GT(before, 0u) << "the counter works";
  for (int i = 0; i < 10; ++i) {
    authenticator.authenticate(known, done);
    authenticator.authenticate(unknown, done);
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(done.known, 11);
}

}  // namespace
}  // namespace cloister::api
