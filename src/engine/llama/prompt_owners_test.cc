#include "engine/llama/prompt_owners.h"

#include <gtest/gtest.h>

#include <optional>

namespace cloister::engine::llama {
namespace {

constexpr PromptOwners::Tenant kAlice = {1};
constexpr PromptOwners::Tenant kBob = {2};

// Only the addresses matter.
class PromptOwnersTest : public ::testing::Test {
 protected:
  void SetUp() override { PromptOwners::instance().isolate(); }
  const server_tokens* sequence(int i) const { return reinterpret_cast<const server_tokens*>(&places_[i]); }
  const void* prompt(int i) const { return &places_[10 + i]; }
  std::size_t compare(int at, int with) { return PromptOwners::instance().on_compared(sequence(at), prompt(with), 50); }
  void take(int at, int with) {
    compare(at, with);
    PromptOwners::instance().on_taken(sequence(at));
  }

 private:
  char places_[20] = {};
};

TEST_F(PromptOwnersTest, ASequenceIsItsTenants) {
  const PromptOwners::Claim mine(prompt(0), kAlice, false), again(prompt(1), kAlice, false),
      other(prompt(2), kBob, false);
  EXPECT_EQ(compare(0, 0), 0u) << "nobody's";
  take(0, 0);
  EXPECT_EQ(compare(0, 1), 50u);
  EXPECT_EQ(compare(0, 2), 0u);
  EXPECT_EQ(compare(1, 1), 0u) << "another sequence";
  take(0, 2);
  EXPECT_EQ(compare(0, 2), 50u);
  EXPECT_EQ(compare(0, 1), 0u) << "taken over";
}

TEST_F(PromptOwnersTest, ComparingTakesNothing) {
  const PromptOwners::Claim mine(prompt(0), kAlice, false), other(prompt(1), kBob, false);
  take(0, 0);
  EXPECT_EQ(compare(0, 1), 0u);
  EXPECT_EQ(compare(0, 0), 50u);
  // A sequence that is taken over without a comparison belongs to nobody.
  compare(1, 1);
  PromptOwners::instance().on_taken(sequence(0));
  EXPECT_EQ(compare(0, 0), 0u);
  EXPECT_EQ(compare(0, 1), 0u);
}

TEST_F(PromptOwnersTest, CopiesAreNobodys) {
  const PromptOwners::Claim mine(prompt(0), kAlice, false), other(prompt(1), kBob, false),
      many(prompt(2), kAlice, true);
  take(0, 0);
  take(1, 1);
  take(0, 2);  // the scheduler may copy it into sequence 1
  EXPECT_EQ(compare(1, 1), 0u);
  EXPECT_EQ(compare(0, 0), 50u);
}

TEST_F(PromptOwnersTest, WithoutAClaimNothingIsReused) {
  std::optional<PromptOwners::Claim> first(std::in_place, prompt(0), kAlice, false);
  take(0, 0);
  EXPECT_EQ(compare(0, 5), 0u);
  // The address is used for another prompt before the first claim has ended.
  const PromptOwners::Claim second(prompt(0), kBob, false);
  first.reset();
  EXPECT_EQ(compare(0, 0), 0u) << "Bob's, not Alice's";
  take(1, 0);
  EXPECT_EQ(compare(1, 0), 50u) << "the second claim still stands";
}

}  // namespace
}  // namespace cloister::engine::llama
