#include "serve/signature_store.h"

#include <gtest/gtest.h>

namespace cloister::serve {
namespace {

SignedReply reply_with(std::uint8_t mark) {
  SignedReply reply;
  reply.request_sha256[0] = mark;
  return reply;
}

TEST(SignatureStore, FindsByIdAndOwner) {
  FakeClock clock(1000);
  SignatureStore store({}, clock);
  Owner alice{1}, bob{2};
  store.put("chatcmpl-1", alice, reply_with(7));
  ASSERT_TRUE(store.find("chatcmpl-1", alice));
  EXPECT_EQ(store.find("chatcmpl-1", alice)->request_sha256[0], 7);
  EXPECT_FALSE(store.find("chatcmpl-1", bob));
  EXPECT_FALSE(store.find("chatcmpl-2", alice));
}

TEST(SignatureStore, ForgetsByAge) {
  FakeClock clock(1000);
  SignatureStore store({.entries = 10, .ttl_s = 60}, clock);
  store.put("a", Owner{}, reply_with(1));
  clock.advance(59);
  EXPECT_TRUE(store.find("a", Owner{}));
  clock.advance(1);
  EXPECT_FALSE(store.find("a", Owner{}));
  EXPECT_EQ(store.size(), 0u);
}

TEST(SignatureStore, TheOldestMakesRoom) {
  FakeClock clock(1000);
  SignatureStore store({.entries = 2, .ttl_s = 60}, clock);
  for (const char* id : {"a", "b", "c"}) store.put(id, Owner{}, reply_with(1));
  EXPECT_FALSE(store.find("a", Owner{}));
  EXPECT_TRUE(store.find("b", Owner{}));
  EXPECT_TRUE(store.find("c", Owner{}));
  EXPECT_EQ(store.size(), 2u);
}

TEST(SignatureStore, TheSameIdIsReplacedNotDoubled) {
  FakeClock clock(1000);
  SignatureStore store({}, clock);
  store.put("a", Owner{}, reply_with(1));
  store.put("a", Owner{}, reply_with(2));
  EXPECT_EQ(store.size(), 1u);
  EXPECT_EQ(store.find("a", Owner{})->request_sha256[0], 2);
}

// Ids of upstreams are not ours: one that comes again for somebody else must not push out what is there.
TEST(SignatureStore, AnIdStaysWithItsOwner) {
  FakeClock clock(1000);
  SignatureStore store({}, clock);
  const Owner alice{1}, bob{2};
  store.put("a", alice, reply_with(1));
  store.put("a", bob, reply_with(2));
  EXPECT_EQ(store.size(), 1u);
  EXPECT_EQ(store.find("a", alice)->request_sha256[0], 1);
  EXPECT_FALSE(store.find("a", bob));
}

}  // namespace
}  // namespace cloister::serve
