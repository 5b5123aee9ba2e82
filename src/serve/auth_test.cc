#include "serve/auth.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace cloister::serve {
namespace {

class TokenFile {
 public:
  explicit TokenFile(std::string_view text) : path_(testing::TempDir() + "cloister_tokens." + std::to_string(::getpid())) {
    std::ofstream(path_) << text;
  }
  ~TokenFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

http::Headers bearer(std::string value) { return {{"authorization", std::move(value)}}; }

TEST(BearerAuth, OpenLetsEverybodyIn) {
  BearerAuth auth = BearerAuth::open();
  EXPECT_FALSE(auth.required());
  EXPECT_EQ(auth.authenticate({}), Owner{});
}

TEST(BearerAuth, KnowsItsTokens) {
  TokenFile file("# tokens\nfirst-token-1\r\n\n  second-token-2  \n");
  Result<BearerAuth> auth = BearerAuth::from_file(file.path());
  ASSERT_TRUE(auth) << auth.error().message;
  auto first = auth->authenticate(bearer("Bearer first-token-1"));
  auto second = auth->authenticate(bearer("bearer second-token-2"));
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(auth->authenticate({{"x-api-key", "first-token-1"}}), first);
  for (const char* wrong : {"Bearer first-token-2", "Bearer ", "Bearer", "Basic first-token-1", "first-token-1", ""}) {
    EXPECT_FALSE(auth->authenticate(bearer(wrong))) << wrong;
  }
  EXPECT_FALSE(auth->authenticate({}));
}

TEST(BearerAuth, RefusesAFileThatProtectsNothing) {
  EXPECT_FALSE(BearerAuth::from_file(TokenFile("# nothing\n\n").path()));
  EXPECT_FALSE(BearerAuth::from_file("/nonexistent/tokens"));
  TokenFile weak("short\n");
  Result<BearerAuth> auth = BearerAuth::from_file(weak.path());
  ASSERT_FALSE(auth);
  EXPECT_NE(auth.error().message.find("line 1"), std::string::npos);
  EXPECT_EQ(auth.error().message.find("short\n"), std::string::npos);
}

}  // namespace
}  // namespace cloister::serve
