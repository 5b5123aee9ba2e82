#include "api/known_owners.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "store/store_keys.h"

namespace cloister::api {
namespace {

int compared = 0;

struct CountingEqual {
  bool operator()(const Owner& a, const Owner& b) const noexcept {
    ++compared;
    return a == b;
  }
};

Owner numbered(int number) {
  static const auto keys = store::StoreKeys::of_this_process();
  ByteArray<16> credential{};
  const std::string text = std::to_string(number);
  std::copy(text.begin(), text.end(), credential.begin());
  return keys->owner(credential);
}

TEST(KnownOwners, AQuestionIsNotComparedWithAll) {
  constexpr int kMany = 20'000;
  BasicKnownOwners<CountingEqual> owners;
  for (int i = 0; i < kMany; ++i) owners.add(numbered(i));
  for (const int known : {0, 7, kMany - 1}) {
    compared = 0;
    EXPECT_TRUE(owners.contains(numbered(known)));
    EXPECT_GE(compared, 1);
    EXPECT_LE(compared, 30);
    compared = 0;
    EXPECT_FALSE(owners.contains(numbered(kMany + known)));
    EXPECT_LE(compared, 30);
  }
}

TEST(KnownOwners, ADigestThatBeginsAlikeIsAnother) {
  KnownOwners owners;
  EXPECT_TRUE(owners.empty());
  Owner one = numbered(1);
  owners.add(one);
  owners.add(one);
  EXPECT_TRUE(owners.contains(one));
  one[15] ^= 1;
  EXPECT_FALSE(owners.contains(one));
  EXPECT_EQ(std::distance(owners.begin(), owners.end()), 1);
}

}  // namespace
}  // namespace cloister::api
