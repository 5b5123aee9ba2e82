// Which receipt an id finds, and for whom, for every kind of store.
#include <algorithm>

#include "store/receipt_id.h"
#include "store/record.h"
#include "store/store_contract_testing.h"

namespace cloister::store {
namespace {

using namespace testing;

TEST_P(StoreContract, FindsByEveryId) {
  const auto batch = records(0, 50);
  put(batch);
  for (const ReceiptRecord& each : batch) {
    EXPECT_EQ(find(each.receipt_id, each.owner), each);
    for (const std::string& id : each.reply_ids) EXPECT_EQ(find(id, each.owner), each);
  }
  EXPECT_FALSE(find("chatcmpl-50", owner(2)));
  EXPECT_FALSE(find("", owner(0)));
  EXPECT_FALSE(find(std::string(100'000, 'x'), owner(0)));
  std::uint64_t bytes = 0;
  for (const ReceiptRecord& each : batch) bytes += testing::counted(each);
  EXPECT_EQ(state().receipts, 50u);
  EXPECT_EQ(state().bytes, bytes);
  EXPECT_EQ(state().oldest, kStart);
}

TEST_P(StoreContract, OneReplyIdOfSeveralReceipts) {
  ReceiptRecord first = record(1), second = record(2), others = record(3);
  for (ReceiptRecord* each : {&first, &second, &others}) each->reply_ids = {"same"};
  first.owner = second.owner = owner(1);
  others.owner = owner(9);
  // The newest is the one that was served last, whatever came last.
  put(second);
  put(first);
  put(others);
  EXPECT_EQ(find("same", owner(1)), second);
  EXPECT_EQ(find("same", owner(9)), others);
  EXPECT_EQ(find("same", owner(5)), others) << "the newest of any other owner";
  EXPECT_EQ(find(first.receipt_id, owner(9)), first) << "another owner's, by receipt id";
  // The newest of two in one second is the one that came last.
  ReceiptRecord later = record(5);
  later.reply_ids = {"same"};
  later.owner = owner(1);
  later.served_at = second.served_at;
  put(later);
  EXPECT_EQ(find("same", owner(1)), later);
  // Owners that share the first bytes are distinguished.
  Owner near = owner(1);
  near[15] = 8;
  ReceiptRecord of_near = record(4);
  of_near.reply_ids = {"same"};
  of_near.owner = near;
  put(of_near);
  EXPECT_EQ(find("same", owner(1)), later);
  EXPECT_EQ(find("same", near), of_near);
}

TEST_P(StoreContract, AReceiptIdIsFirstOfAll) {
  // An upstream gives its reply the id of somebody's receipt.
  ReceiptRecord real = record(1), taking = record(2);
  taking.reply_ids = {real.receipt_id};
  taking.owner = real.owner;
  put({real, taking});
  EXPECT_EQ(find(real.receipt_id, real.owner), real);
  ReceiptRecord by_other = record(5);
  by_other.reply_ids = {real.receipt_id};
  by_other.owner = owner(8);
  put(by_other);
  EXPECT_EQ(find(real.receipt_id, real.owner), real);
  EXPECT_EQ(find(real.receipt_id, owner(8)), by_other) << "one's own before another's";
  EXPECT_EQ(find(real.receipt_id, owner(4)), real);
}

// As the node makes them: the reply's id ends like the receipt's.
TEST_P(StoreContract, IdsOfTheSameDigits) {
  std::vector<ReceiptRecord> batch;
  for (int i = 0; i < 60; ++i) {
    ReceiptRecord each = record(i);
    each.receipt_id = new_receipt_id(1'800'000'000'000 + i);
    each.reply_ids = {reply_id_of(each.receipt_id, "chatcmpl-")};
    if (i % 2 == 0) each.reply_ids.push_back("upstream-" + std::to_string(i));
    batch.push_back(each);
  }
  // Somebody else's replies with the same id as the first: an older and a newer one, of its owner and of another.
  const std::string taken = batch[0].reply_ids[0];
  for (const int i : {10, 20}) batch[static_cast<std::size_t>(i)].reply_ids = {taken};
  batch[10].owner = owner(7);
  batch[20].owner = batch[0].owner;
  for (const ReceiptRecord& each : batch) put(each);
  for (int round = 0; round < 2; ++round) {
    for (const ReceiptRecord& each : batch) {
      EXPECT_EQ(find(each.receipt_id, each.owner), each);
      if (each.reply_ids[0] == taken) continue;
      EXPECT_EQ(find(each.reply_ids[0], each.owner), each);
      EXPECT_EQ(find(each.reply_ids[0], owner(9)), each) << "another owner's";
    }
    EXPECT_EQ(find(taken, batch[0].owner), batch[20]) << "the newest of the owner's";
    EXPECT_EQ(find(taken, owner(7)), batch[10]);
    EXPECT_EQ(find(taken, owner(9)), batch[20]);
    // A prefix that none of them has.
    EXPECT_FALSE(find(reply_id_of(batch[5].receipt_id, "resp_"), batch[5].owner));
    EXPECT_FALSE(find(batch[5].receipt_id.substr(5), batch[5].owner));
    EXPECT_EQ(prune(), 0u);
  }
}

TEST_P(StoreContract, OthersReceiptsCanBeLeftOut) {
  ReceiptRecord first = record(1), second = record(2), nobodys = record(3);
  for (ReceiptRecord* each : {&first, &second, &nobodys}) each->reply_ids = {"same"};
  first.owner = owner(1);
  second.owner = owner(2);
  nobodys.owner = Owner{};
  const auto find_own = [&](std::string_view id, const Owner& whose) {
    const auto found = store_->find(id, whose, {.others = false});
    EXPECT_TRUE(found) << found.error().to_string();
    return found ? *found : std::nullopt;
  };
  put({first, second});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(find_own("same", owner(1)), first);
    EXPECT_EQ(find_own(first.receipt_id, owner(1)), first);
    for (const Owner& stranger : {owner(3), Owner{}}) {
      EXPECT_FALSE(find_own("same", stranger));
      EXPECT_FALSE(find_own(first.receipt_id, stranger));
    }
    EXPECT_EQ(prune(), 0u);  // what was written is indexed
  }
  put(nobodys);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(find_own("same", owner(2)), second) << "one's own before nobody's";
    EXPECT_EQ(find_own("same", owner(3)), nobodys);
    EXPECT_EQ(find_own(nobodys.receipt_id, owner(3)), nobodys);
    EXPECT_EQ(find_own("same", Owner{}), nobodys);
    EXPECT_EQ(prune(), 0u);
  }
}

TEST_P(StoreContract, EventHashesCanBeLeftOut) {
  ReceiptRecord stream = record(1);
  stream.event_hashes = std::string(32 * 1000, 'h');
  put(stream);
  ReceiptRecord without = stream;
  without.event_hashes.clear();
  for (int round = 0; round < 2; ++round) {
    for (const std::string& id : {stream.receipt_id, stream.reply_ids[0]}) {
      EXPECT_EQ(*store_->find(id, stream.owner, {.event_hashes = false}), without);
      EXPECT_EQ(*store_->find(id, stream.owner, {.others = false}), stream);
      EXPECT_EQ(find(id, stream.owner), stream);
      EXPECT_EQ(find(id, owner(77)), stream) << "another owner's";
    }
    EXPECT_EQ(prune(), 0u);
  }
}

TEST_P(StoreContract, ManyReceiptsOfOneReplyId) {
  std::vector<ReceiptRecord> batch;
  for (int i = 0; i < 200; ++i) {
    batch.push_back(record(i));
    batch.back().reply_ids = {"always"};
  }
  put(batch);
  for (int whose = 0; whose < 3; ++whose) {
    const auto found = find("always", owner(whose));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->owner, owner(whose));
    EXPECT_GE(found->served_at, kStart + 197);
  }
  EXPECT_TRUE(find("always", owner(77)));
}

}  // namespace
}  // namespace cloister::store
