#include "api/auth.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "crypto/hash.h"

namespace cloister::api {
namespace {

class TokenFile {
 public:
  explicit TokenFile(std::string_view text)
      : path_(testing::TempDir() + "cloister_tokens." + std::to_string(::getpid()) + "." + std::to_string(++made_)) {
    std::ofstream(path_) << text;
  }
  ~TokenFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  static inline int made_ = 0;
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
  Result<BearerAuth> auth = BearerAuth::from_file(file.path(), store::StoreKeys::of_this_process());
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

TEST(BearerAuth, KeepsItsTokensApartFromAnotherKindOfCallers) {
  TokenFile file("tenant-token-1\nboth-of-them-1\n"), others("operator-token-1\n"),
      shared("operator-token-2\nboth-of-them-1\n"), theirs("operator-token-1\n");
  const auto keys = store::StoreKeys::of_this_process();
  Result<BearerAuth> clients = BearerAuth::from_file(file.path(), keys),
                     operators = BearerAuth::from_file(shared.path(), keys);
  ASSERT_TRUE(clients && operators);
  EXPECT_FALSE(operators->keep_apart_from(*clients)) << "one token is in both files";
  operators = BearerAuth::from_file(others.path(), keys);
  ASSERT_TRUE(operators && operators->keep_apart_from(*clients) && clients->keep_apart_from(*operators));
  EXPECT_FALSE(operators->reload(shared.path()));
  EXPECT_TRUE(operators->authenticate(bearer("Bearer operator-token-1"))) << "those of before stay";
  EXPECT_FALSE(operators->authenticate(bearer("Bearer operator-token-2")));
  EXPECT_FALSE(clients->reload(theirs.path()));
  EXPECT_FALSE(clients->authenticate(bearer("Bearer operator-token-1")));
  EXPECT_TRUE(clients->reload(file.path()));
}

TEST(BearerAuth, TwoLinesNameNobody) {
  TokenFile file("first-token-1\nsecond-token-2\n");
  const auto auth = BearerAuth::from_file(file.path(), store::StoreKeys::of_this_process());
  ASSERT_TRUE(auth);
  http::Headers twice = bearer("Bearer first-token-1");
  twice.emplace_back("authorization", "Bearer second-token-2");
  EXPECT_FALSE(auth->authenticate(twice));
  EXPECT_FALSE(auth->authenticate({{"x-api-key", "first-token-1"}, {"x-api-key", "first-token-1"}}));
}

TEST(BearerAuth, AFileThatIsNoTextLocksNobodyOut) {
  TokenFile file("first-token-1\n"), garbage("\xff\xfe\x01 binary\n"),
      mark("\xef\xbb\xbf"
           "first-token-1\n"),
      spaces("first token 1\n");
  auto auth = BearerAuth::from_file(file.path(), store::StoreKeys::of_this_process());
  ASSERT_TRUE(auth);
  for (const TokenFile* other : {&garbage, &mark, &spaces}) {
    EXPECT_FALSE(auth->reload(other->path()));
    EXPECT_TRUE(auth->authenticate(bearer("Bearer first-token-1")));
  }
}

// Somebody who sees an owner, and knows the token, cannot tell that they belong together.
TEST(BearerAuth, OwnersAreKeyed) {
  const TokenFile file("first-token-1\n");
  const auto keys = store::StoreKeys::of_this_process();
  const auto one = BearerAuth::from_file(file.path(), keys)->authenticate(bearer("Bearer first-token-1"));
  const auto other = BearerAuth::from_file(file.path(), store::StoreKeys::of_this_process())
                         ->authenticate(bearer("Bearer first-token-1"));
  ASSERT_TRUE(one && other);
  EXPECT_NE(*one, *other);
  const auto digest = crypto::sha256(as_bytes("cloister.owner.v1first-token-1"));
  Owner plain;
  std::copy_n(digest.begin(), plain.size(), plain.begin());
  EXPECT_NE(*one, plain);
  EXPECT_EQ(*one, keys->owner(plain)) << "as receipts of before are carried over";
}

TEST(BearerAuth, RefusesAFileThatProtectsNothing) {
  EXPECT_FALSE(BearerAuth::from_file(TokenFile("# nothing\n\n").path(), store::StoreKeys::of_this_process()));
  EXPECT_FALSE(BearerAuth::from_file("/nonexistent/tokens", store::StoreKeys::of_this_process()));
  TokenFile weak("short\n");
  Result<BearerAuth> auth = BearerAuth::from_file(weak.path(), store::StoreKeys::of_this_process());
  ASSERT_FALSE(auth);
  EXPECT_NE(auth.error().message.find("line 1"), std::string::npos);
  EXPECT_EQ(auth.error().message.find("short\n"), std::string::npos);
}

}  // namespace
}  // namespace cloister::api
