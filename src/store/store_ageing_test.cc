// What age and space remove, for every kind of store.
#include <algorithm>
#include <utility>

#include "store/record.h"
#include "store/store_contract_testing.h"

namespace cloister::store {
namespace {

using namespace testing;

TEST_P(StoreContract, AgeHidesAndPruneDeletes) {
  options_.limits.receipt_age_s = 10 * kDay;
  options_.limits.event_hash_age_s = kDay;
  reopen();
  ReceiptRecord old = record(0), young = record(4);
  young.served_at = kStart + 5 * kDay;
  put({old, young});
  for (std::int64_t passed = 0; passed < kDay; passed += 3600) wait(3600), prune();
  EXPECT_EQ(find(old.receipt_id, old.owner), old) << "as old as it may be";
  wait(1);
  ReceiptRecord without = old;
  without.event_hashes.clear();
  EXPECT_EQ(find(old.receipt_id, old.owner), without) << "hidden before they are deleted";
  const std::uint64_t before = state().bytes;
  wait(3600);
  EXPECT_EQ(prune(), 0u);
  EXPECT_EQ(state().bytes, before - (testing::counted(old) - record_size(old)));
  EXPECT_EQ(find(old.receipt_id, old.owner), without);
  put(old);
  EXPECT_EQ(find(old.receipt_id, old.owner), without) << "putting it again does not bring the event hashes back";

  wait(9 * kDay);
  EXPECT_FALSE(find(old.receipt_id, old.owner)) << "hidden before it is deleted";
  EXPECT_FALSE(find(old.reply_ids[0], old.owner));
  EXPECT_EQ(all_of(*store_).size(), 1u);
  EXPECT_EQ(state().receipts, 2u);
  EXPECT_EQ(prune(), 1u);
  EXPECT_EQ(state().receipts, 1u);
  EXPECT_EQ(state().oldest, young.served_at);
  wait(30 * kDay);
  EXPECT_EQ(prune(), 1u);
  EXPECT_EQ(state().receipts, 0u);
  EXPECT_EQ(state().bytes, 0u);
  EXPECT_EQ(prune(), 0u);
  put(record(50));
  EXPECT_EQ(state().receipts, 1u);
}

TEST_P(StoreContract, AClockThatJumpsAheadDeletesSlowly) {
  put(records(0, 600));
  EXPECT_EQ(prune(), 0u);
  clock_.advance(400 * kDay);
  EXPECT_FALSE(find("rcpt-00000001", owner(1))) << "past their age by this clock";
  // Ten minutes with a prune every five seconds: ten hours of age.
  for (int i = 0; i < 120; ++i) {
    steady_.advance(5);
    clock_.advance(5);
    EXPECT_EQ(prune(), 0u);
  }
  if (lasts()) {
    reopen();
    steady_.advance(5);
    EXPECT_EQ(prune(), 0u) << "a new start does not make it believe the clock";
  }
  ReceiptRecord of_the_future = record(9000);
  of_the_future.served_at = clock_.now();
  put(of_the_future);
  clock_.set(kStart + 1000);
  EXPECT_EQ(prune(), 0u);
  EXPECT_EQ(all_of(*store_).size(), 601u) << "corrected in time: everything is there, and to be seen";
  EXPECT_EQ(find(of_the_future.receipt_id, of_the_future.owner), of_the_future);
  // The same jump, which nobody corrects: half a day and the receipts are gone.
  clock_.advance(400 * kDay);
  std::uint64_t gone = 0;
  for (int i = 0; i < 24 && gone < 600; ++i) {
    steady_.advance(3600);
    gone += prune();
  }
  EXPECT_EQ(gone, 600u);
}

TEST_P(StoreContract, AClockThatFallsBackDeletesNothing) {
  put(records(0, 10));
  EXPECT_EQ(prune(), 0u);
  for (const UnixSeconds time : {kStart - 10 * kDay, kStart - 5000 * kDay, UnixSeconds{0}}) {
    clock_.set(time);
    steady_.advance(1000);
    EXPECT_EQ(prune(), 0u);
    EXPECT_EQ(all_of(*store_).size(), 10u);
  }
  ReceiptRecord now = record(100);
  now.served_at = 100;
  put(now);
  EXPECT_EQ(find(now.receipt_id, now.owner), now);
  // After the correction: only what really claims to be old is deleted.
  clock_.set(kStart + 60);
  steady_.advance(1'000'000);
  EXPECT_EQ(prune(), 1u);
  EXPECT_EQ(all_of(*store_).size(), 10u);
}

TEST_P(StoreContract, SpaceIsBounded) {
  std::vector<ReceiptRecord> batch;
  for (int i = 0; i < 1000; ++i) batch.push_back(record(i, 2000));
  batch[0].event_hashes = batch[700].event_hashes = std::string(32 * 1000, 'h');
  // The clock fell back half way: later receipts are older by their own statement.
  for (int i = 500; i < 1000; ++i) batch[static_cast<std::size_t>(i)].served_at = kStart - 1000 + i;
  put(batch);
  const std::uint64_t all = state().bytes;
  EXPECT_EQ(prune(), 0u);

  options_.limits.bytes = all - 1;
  if (!lasts()) return;
  reopen();
  EXPECT_EQ(prune(), 0u) << "the first event hashes are enough";
  EXPECT_TRUE(find("rcpt-00000000", owner(0))->event_hashes.empty());
  EXPECT_EQ(find("rcpt-00000700", owner(1)), batch[700]);

  options_.limits.bytes = all / 2;
  reopen();
  const std::uint64_t gone = prune();
  EXPECT_GT(gone, 400u);
  EXPECT_LT(gone, 600u);
  EXPECT_LE(state().bytes, all / 2);
  EXPECT_GT(state().bytes, all / 2 - 5000) << "no more than needed";
  EXPECT_EQ(state().receipts, 1000 - gone);
  EXPECT_FALSE(find("rcpt-00000000", owner(0)));
  EXPECT_FALSE(find("chatcmpl-1", owner(1)));
  const auto last = find("rcpt-00000999", owner(0));
  ASSERT_TRUE(last) << "the first to come went first";
  EXPECT_EQ(last->receipt, batch[999].receipt);
  EXPECT_EQ(all_of(*store_).size(), 1000 - gone);
  for (int i = 0; i < 20; ++i) {
    put(records(2000 + 100 * i, 100));
    prune();
    EXPECT_LE(state().bytes, all / 2);
  }
  EXPECT_EQ(find("chatcmpl-3999", owner(0)), record(3999));
}

}  // namespace
}  // namespace cloister::store
