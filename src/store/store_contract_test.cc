// What every kind of store promises, tested with each of them: what is put is there, once, and unchanged.
#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "store/receipt_id.h"
#include "store/record.h"
#include "store/store_contract_testing.h"

namespace cloister::store {
namespace {

using namespace testing;

TEST_P(StoreContract, IsEmptyAtFirst) {
  EXPECT_EQ(store_->type(), GetParam());
  EXPECT_FALSE(find("rcpt-1", owner(0)));
  EXPECT_TRUE(all_of(*store_).empty());
  EXPECT_TRUE(store_->put({}));
  EXPECT_EQ(prune(), 0u);
  EXPECT_EQ(state().receipts, 0u);
  EXPECT_EQ(state().bytes, 0u);
  EXPECT_EQ(state().oldest, 0);
}

TEST_P(StoreContract, PuttingTheSameAgainIsNoError) {
  const auto batch = records(0, 10);
  put(batch);
  const StoreState before = state();
  put(batch);
  // Some old, some new, and one twice in the batch.
  auto mixed = records(5, 10);
  mixed.push_back(record(14));
  put(mixed);
  EXPECT_EQ(state().receipts, 15u);
  EXPECT_GT(state().bytes, before.bytes);
  EXPECT_EQ(all_of(*store_), records(0, 15));
  // A large batch with each record twice.
  auto twice = records(0, 75);
  const auto again = twice;
  twice.insert(twice.end(), again.rbegin(), again.rend());
  put(twice);
  EXPECT_EQ(state().receipts, 75u);
  EXPECT_EQ(all_of(*store_), records(0, 75));
}

TEST_P(StoreContract, PuttingAnotherContentIsAnErrorAndChangesNothing) {
  put(records(0, 3));
  const StoreState before = state();
  const std::vector<std::function<void(ReceiptRecord&)>> changes = {
      [](ReceiptRecord& r) { r.receipt[5] ^= 1; },       [](ReceiptRecord& r) { r.owner[3] ^= 1; },
      [](ReceiptRecord& r) { ++r.served_at; },           [](ReceiptRecord& r) { r.reply_ids.push_back("more"); },
      [](ReceiptRecord& r) { r.reply_ids.clear(); },     [](ReceiptRecord& r) { r.legacy.reset(); },
      [](ReceiptRecord& r) { r.legacy->ecdsa[0] ^= 1; }, [](ReceiptRecord& r) { r.event_hashes[0] ^= 1; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto batch = records(10, 3);
    batch.push_back(record(0));
    changes[i](batch.back());
    batch.push_back(record(20));
    const auto done = store_->put(batch);
    ASSERT_FALSE(done) << i;
    EXPECT_EQ(done.error().code, ErrorCode::kStoreConflict) << i;
    EXPECT_NE(done.error().message.find(shown_id(record(0).receipt_id)), std::string::npos);
  }
  // Two with one id in one batch.
  auto twice = std::vector{record(30), record(30)};
  twice[1].receipt += " ";
  EXPECT_FALSE(store_->put(twice));
  EXPECT_EQ(all_of(*store_), records(0, 3));
  EXPECT_EQ(state().bytes, before.bytes);
  EXPECT_FALSE(find("chatcmpl-10", owner(1)));
  put(records(10, 3));
  EXPECT_EQ(state().receipts, 6u);
}

TEST_P(StoreContract, ListsInOrderPageByPage) {
  std::vector<ReceiptRecord> batch = records(0, 40);
  for (ReceiptRecord& each : batch) each.served_at = kStart + (&each - batch.data()) / 10;  // ten in each second
  std::vector<ReceiptRecord> shuffled;
  for (std::size_t i = 0; i < batch.size(); ++i) shuffled.push_back(batch[i * 7 % batch.size()]);
  put(shuffled);
  // Within a second they are in the order of their places.
  std::ranges::sort(batch, {}, [](const ReceiptRecord& each) {
    return std::pair(each.served_at, testing::keys()->place(each.receipt_id));
  });
  for (const std::size_t page : {1, 3, 10, 100}) EXPECT_EQ(all_of(*store_, page), batch) << page;
  const auto from = store_->list({kStart + 2, ""}, 5);
  ASSERT_TRUE(from);
  ASSERT_EQ(from->size(), 5u);
  EXPECT_EQ(from->front(), batch[20]);
  EXPECT_EQ(store_->list({0, ""}, 1'000'000)->size(), 40u);
  EXPECT_TRUE(store_->list({0, ""}, 0)->empty());
}

TEST_P(StoreContract, Documents) {
  const Document report{"report.native", "sha256:aa", std::string("text\0of\xff it", 11), kStart};
  Document policy{"policy", "sha256:aa", "{}", kStart};
  ASSERT_TRUE(store_->put_document(report));
  ASSERT_TRUE(store_->put_document(policy));
  EXPECT_EQ(*store_->find_document("report.native", "sha256:aa"), report);
  EXPECT_EQ(*store_->find_document("policy", "sha256:aa"), policy);
  EXPECT_FALSE(*store_->find_document("report.aci", "sha256:aa"));
  EXPECT_FALSE(*store_->find_document("policy", "sha256:ab"));
  EXPECT_FALSE(*store_->find_document("", "sha256:aa"));
  EXPECT_EQ(*store_->find_documents("sha256:aa"), (std::vector{policy, report}));
  EXPECT_TRUE(store_->find_documents("sha256:")->empty());
  policy.text = "{\"new\":1}";
  policy.made += 20 * kDay;
  ASSERT_TRUE(store_->put_document(policy));
  EXPECT_EQ(*store_->find_document("policy", "sha256:aa"), policy);
  if (lasts()) reopen();
  EXPECT_EQ(store_->find_documents("sha256:aa")->size(), 2u);
  EXPECT_EQ(prune(), 0u);
  wait(33 * kDay);
  EXPECT_EQ(prune(), 0u);
  EXPECT_EQ(*store_->find_documents("sha256:aa"), std::vector{policy}) << "it outlived its receipts";

  Document large{"k", "k", std::string(kMostDocumentBytes, 'x'), kStart};
  EXPECT_TRUE(store_->put_document(large));
  large.text += 'x';
  EXPECT_EQ(store_->put_document(large).error().code, ErrorCode::kStoreRefused);
  EXPECT_FALSE(store_->put_document({"", "k", "", kStart}));
  EXPECT_FALSE(store_->put_document({"k", "", "", kStart}));
  EXPECT_FALSE(store_->put_document({"k", "k", "", -1}));
}

TEST_P(StoreContract, HostileValuesComeBackAsTheyWere) {
  const std::string odd[] = {"';DROP TABLE receipt;--",
                             std::string("a\0b", 3),
                             std::string("\0", 1),
                             "\xff\xfe\x80",
                             "%s%n",
                             "\\x00",
                             "\"}\n{",
                             "$1",
                             "ünïcode \xed\xa0\x80",
                             std::string(kMostReplyIdBytes, '\''),
                             "{\"a\",NULL}",
                             " ",
                             "NULL"};
  std::vector<ReceiptRecord> batch;
  int number = 0;
  for (const std::string& text : odd) {
    ReceiptRecord each = record(number++);
    each.reply_ids = {text, text + "2"};
    if (text.size() == kMostReplyIdBytes) each.reply_ids = {text};
    each.receipt_id = text.substr(0, kMostReceiptIdBytes);
    each.receipt = text;
    batch.push_back(each);
  }
  put(batch);
  for (const ReceiptRecord& each : batch) {
    EXPECT_EQ(find(each.receipt_id, each.owner), each);
    EXPECT_EQ(find(each.reply_ids.back(), each.owner), each);
  }
  EXPECT_EQ(all_of(*store_, 1), batch);
}

TEST_P(StoreContract, TheLargestValues) {
  ReceiptRecord largest = record(0);
  largest.receipt_id = std::string(kMostReceiptIdBytes, '\xff');
  largest.reply_ids.clear();
  for (std::size_t i = 0; i < kMostReplyIds; ++i)
    largest.reply_ids.push_back(std::string(kMostReplyIdBytes - 1, '\0') + static_cast<char>(i));
  largest.receipt = std::string(kMostReceiptBytes, '\x80');
  largest.event_hashes = std::string(kMostEventHashBytes, '\x01');
  largest.served_at = std::int64_t{1} << 53;
  ReceiptRecord smallest;
  smallest.receipt_id = "x";
  smallest.receipt = "y";
  smallest.served_at = kStart;
  put({largest, smallest});
  EXPECT_EQ(find(largest.reply_ids[3], largest.owner), largest);
  EXPECT_EQ(find("x", Owner{}), smallest);
}

TEST_P(StoreContract, RefusesWhatIsTooLong) {
  const std::vector<std::function<void(ReceiptRecord&)>> changes = {
      [](ReceiptRecord& r) { r.receipt_id.clear(); },
      [](ReceiptRecord& r) { r.receipt_id = std::string(kMostReceiptIdBytes + 1, 'x'); },
      [](ReceiptRecord& r) { r.reply_ids.assign(kMostReplyIds + 1, "x"); },
      [](ReceiptRecord& r) { r.reply_ids = {""}; },
      [](ReceiptRecord& r) { r.reply_ids = {std::string(kMostReplyIdBytes + 1, 'x')}; },
      [](ReceiptRecord& r) { r.served_at = -1; },
      [](ReceiptRecord& r) { r.served_at = (std::int64_t{1} << 53) + 1; },
      [](ReceiptRecord& r) { r.receipt.clear(); },
      [](ReceiptRecord& r) { r.receipt = std::string(kMostReceiptBytes + 1, 'x'); },
      [](ReceiptRecord& r) { r.event_hashes = "31 bytes are no leaf hash, ever"; },
      [](ReceiptRecord& r) { r.event_hashes = std::string(kMostEventHashBytes + 32, 'x'); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto batch = records(0, 2);
    changes[i](batch[1]);
    const auto done = store_->put(batch);
    ASSERT_FALSE(done) << i;
    EXPECT_EQ(done.error().code, ErrorCode::kStoreRefused) << i;
    EXPECT_FALSE(done.error().param.empty());
  }
  EXPECT_EQ(state().receipts, 0u) << "all or none";
}

TEST_P(LastingStoreContract, IsThereAfterReopening) {
  put(records(0, 20));
  const StoreState before = state();
  reopen();
  EXPECT_EQ(all_of(*store_), records(0, 20));
  EXPECT_EQ(state().bytes, before.bytes);
  EXPECT_EQ(find("chatcmpl-7", owner(1)), record(7));
  put(records(10, 20));
  EXPECT_EQ(state().receipts, 30u);
  store_.reset();
  options_.access = Access::kExisting;
  reopen();
  EXPECT_EQ(state().receipts, 30u);
}

TEST_P(StoreContract, WritersAndReadersAtOnce) {
  constexpr int kBatches = 30, kBatch = 8;
  // As two processes would: each writer has opened it for itself.
  std::unique_ptr<ReceiptStore> second;
  if (lasts()) second = *place_->open(options_);
  ReceiptStore* stores[] = {store_.get(), second ? second.get() : store_.get()};
  std::atomic<int> written[2] = {0, 0};
  std::atomic<bool> done = false;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int w = 0; w < 2; ++w) {
    threads.emplace_back([&, w] {
      for (int b = 0; b < kBatches; ++b) {
        const auto put = stores[w]->put(records(100'000 * w + b * kBatch, kBatch));
        if (!put) ADD_FAILURE() << put.error().to_string(), ++failures;
        written[w] = (b + 1) * kBatch;
      }
    });
  }
  for (int r = 0; r < 3; ++r) {
    threads.emplace_back([&, r] {
      for (int i = 0; !done; ++i) {
        const int w = (i + r) % 2, last = written[w] - 1;
        if (last < 0) continue;
        // Every reader sees what was stored, through any connection.
        const ReceiptRecord expected = record(100'000 * w + (i % 2 == 0 ? last : i % (last + 1)));
        const auto found = stores[r % 2]->find(expected.reply_ids[0], expected.owner);
        if (!found || !*found || **found != expected) ++failures;
        if (i % 64 == 0 && !stores[r % 2]->prune()) ++failures;
      }
    });
  }
  threads[0].join();
  threads[1].join();
  done = true;
  for (std::size_t i = 2; i < threads.size(); ++i) threads[i].join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(state().receipts, 2u * kBatches * kBatch);
  EXPECT_EQ(all_of(*store_).size(), 2u * kBatches * kBatch);
}

TEST_P(LastingStoreContract, TwoWritersOfTheSameReceipts) {
  const auto second = place_->open(options_);
  ASSERT_TRUE(second);
  std::atomic<int> failures = 0;
  const auto write = [&](ReceiptStore& store, bool backwards) {
    for (int b = 0; b < 20; ++b) {
      auto batch = records(b * 10, 10);
      if (backwards) std::reverse(batch.begin(), batch.end());
      if (const auto put = store.put(batch); !put) ADD_FAILURE() << put.error().to_string(), ++failures;
    }
  };
  std::thread other([&] { write(**second, true); });
  write(*store_, false);
  other.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(all_of(*store_), records(0, 200));
  EXPECT_EQ(state().receipts, 200u);
}

INSTANTIATE_TEST_SUITE_P(Stores, LastingStoreContract, ::testing::Values("sqlite", "postgresql"),
                         [](const auto& kind) { return kind.param; });
INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, ::testing::Values("memory", "sqlite", "postgresql"),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace cloister::store
