// What a caller of any authenticator may expect, shown for the file of tokens, which answers at once, and for one that
// answers later.
#include "api/authenticator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "api/auth.h"
#include "api/testing/fake_authenticator.h"

namespace cloister::api {
namespace {

using testing::FakeAuthenticator;
using testing::RecordedAnswer;
using testing::test_owner;

http::RequestHead with_token(const std::string& token) {
  http::RequestHead head;
  if (!token.empty()) head.headers.emplace_back("authorization", "Bearer " + token);
  return head;
}

class TokenFileTest : public ::testing::Test {
 protected:
  void write(std::string_view text) { std::ofstream(path_) << text; }
  void TearDown() override { ::unlink(path_.c_str()); }
  Result<BearerAuth> load() { return BearerAuth::from_file(path_, store::StoreKeys::of_this_process()); }

  const std::string path_ = ::testing::TempDir() + "cloister_callers." + std::to_string(::getpid());
};

TEST_F(TokenFileTest, AFileOfTokensAnswersAtOnce) {
  write("first-token-1\nsecond-token-2\n");
  auto auth = load();
  ASSERT_TRUE(auth);
  Authenticator& authenticator = *auth;
  for (const char* token : {"first-token-1", "second-token-2", "third-token-3", ""}) {
    RecordedAnswer answer;
    authenticator.authenticate(with_token(token), answer);
    EXPECT_EQ(answer.at_once, 1) << token;
    EXPECT_EQ(answer.taken, 0);
    EXPECT_EQ(answer.answers.front(), auth->authenticate(with_token(token).headers));
    EXPECT_EQ(answer.answers.front().has_value(),
              std::string_view(token).starts_with("first") || std::string_view(token).starts_with("second"));
  }
}

TEST_F(TokenFileTest, WhereNoTokenIsNeededEverybodyIsNobody) {
  BearerAuth open = BearerAuth::open();
  RecordedAnswer answer;
  Authenticator& authenticator = open;
  authenticator.authenticate(with_token("whatever"), answer);
  EXPECT_EQ(answer.answers, std::vector{std::optional(Owner{})});
}

TEST_F(TokenFileTest, TheVersionMovesWithTheTokens) {
  write("first-token-1\n");
  auto auth = load();
  ASSERT_TRUE(auth);
  const std::uint64_t before = auth->version();
  EXPECT_EQ(auth->version(), before);
  write("bad\n");
  EXPECT_FALSE(auth->reload(path_));
  EXPECT_EQ(auth->version(), before) << "the tokens stayed as they were";
  write("second-token-2\n");
  EXPECT_TRUE(auth->reload(path_));
  EXPECT_NE(auth->version(), before);
  EXPECT_FALSE(auth->authenticate(with_token("first-token-1").headers));
}

// Whoever sees the same version before and after has the answer of the tokens in force.
TEST_F(TokenFileTest, AnAnswerIsNeverOlderThanItsVersion) {
  write("first-token-1\n");
  auto auth = load();
  ASSERT_TRUE(auth);
  const std::uint64_t first = auth->version(), last = first + 200;
  std::thread writer([&] {
    for (std::uint64_t i = first; i < last; ++i) {
      write(i % 2 == first % 2 ? "second-token-2\n" : "first-token-1\n");
      EXPECT_TRUE(auth->reload(path_));
    }
  });
  const http::RequestHead head = with_token("first-token-1");
  for (std::uint64_t version = first; version < last;) {
    version = auth->version();
    const bool known = auth->authenticate(head.headers).has_value();
    if (auth->version() == version) {
      EXPECT_EQ(known, version % 2 == first % 2) << version;
    }
  }
  writer.join();
}

TEST(LaterAuthenticator, AnswersWhenItCanAndOnAnyThread) {
  FakeAuthenticator authenticator;
  authenticator.know("first-token-1", test_owner(1));
  authenticator.answer_later();
  RecordedAnswer known, unknown;
  authenticator.authenticate(with_token("first-token-1"), known);
  authenticator.authenticate(with_token("second-token-2"), unknown);
  EXPECT_EQ(known.at_once + unknown.at_once, 0);
  EXPECT_EQ(known.taken + unknown.taken, 2);
  EXPECT_TRUE(known.answers.empty() && unknown.answers.empty());
  std::thread([&] { authenticator.answer(); }).join();
  EXPECT_EQ(known.answers, std::vector{std::optional(test_owner(1))});
  EXPECT_EQ(unknown.answers, std::vector{std::optional<Owner>()});
}

}  // namespace
}  // namespace cloister::api
