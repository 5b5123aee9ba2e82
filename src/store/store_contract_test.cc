// What every kind of store promises, shown on each of them.
#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "store/postgres/postgres_testing.h"
#include "store/receipt_id.h"
#include "store/record.h"
#include "store/store_testing.h"

namespace cloister::store {
namespace {

using testing::all_of;
using testing::kStart;
using testing::owner;
using testing::record;
using testing::records;

constexpr std::int64_t kDay = 86400;

class StoreContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "sqlite") place_ = std::make_unique<testing::SqlitePlace>();
    if (GetParam() == "memory") place_ = std::make_unique<testing::MemoryPlace>();
    if (GetParam() == "postgresql") {
      CLOISTER_NEED_POSTGRES();
      place_ = std::make_unique<testing::PostgresPlace>();
    }
    options_.clock = &clock_;
    options_.steady = &steady_;
    reopen();
  }

  void reopen() {
    store_.reset();
    auto opened = place_->open(options_);
    ASSERT_TRUE(opened) << opened.error().to_string();
    store_ = *std::move(opened);
  }
  bool lasts() const { return place_->lasts(); }

  // Both clocks: time as it passes.
  void wait(std::int64_t seconds) {
    clock_.advance(seconds);
    steady_.advance(seconds);
  }
  void put(const std::vector<ReceiptRecord>& batch) {
    const auto done = store_->put(batch);
    ASSERT_TRUE(done) << done.error().to_string();
  }
  void put(const ReceiptRecord& one) { put(std::vector{one}); }
  std::optional<ReceiptRecord> find(std::string_view id, const Owner& whose) {
    auto found = store_->find(id, whose);
    EXPECT_TRUE(found) << found.error().to_string();
    return found ? *std::move(found) : std::nullopt;
  }
  std::uint64_t prune() {
    const auto gone = store_->prune();
    EXPECT_TRUE(gone) << gone.error().to_string();
    return gone ? *gone : 0;
  }
  StoreState state() {
    const auto state = store_->state();
    EXPECT_TRUE(state) << state.error().to_string();
    return state.value_or({});
  }

  FakeClock clock_{kStart};
  FakeClock steady_{1000};
  StoreOptions options_;
  std::unique_ptr<testing::StorePlace> place_;
  std::unique_ptr<ReceiptStore> store_;
};

// Of those that are there after they were closed.
class LastingStoreContract : public StoreContract {};

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
  // Newest is what was served last, whatever came last.
  put(second);
  put(first);
  put(others);
  EXPECT_EQ(find("same", owner(1)), second);
  EXPECT_EQ(find("same", owner(9)), others);
  EXPECT_EQ(find("same", owner(5)), others) << "the newest of any other owner";
  EXPECT_EQ(find(first.receipt_id, owner(9)), first) << "another owner's, by receipt id";
  // Of two in one second it is what came last.
  ReceiptRecord later = record(5);
  later.reply_ids = {"same"};
  later.owner = owner(1);
  later.served_at = second.served_at;
  put(later);
  EXPECT_EQ(find("same", owner(1)), later);
  // Owners that share the first bytes are told apart.
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
  // Somebody else's replies called like the first: an older and a newer one, of its owner and of another.
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

TEST_P(StoreContract, PuttingTheSameAgainIsNoError) {
  const auto batch = records(0, 10);
  put(batch);
  const StoreState before = state();
  put(batch);
  // Some old, some new, one twice in the batch.
  auto mixed = records(5, 10);
  mixed.push_back(record(14));
  put(mixed);
  EXPECT_EQ(state().receipts, 15u);
  EXPECT_GT(state().bytes, before.bytes);
  EXPECT_EQ(all_of(*store_), records(0, 15));
  // A large one, each of it twice.
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
      [](ReceiptRecord& r) { r.receipt[5] ^= 1; },     [](ReceiptRecord& r) { r.owner[3] ^= 1; },
      [](ReceiptRecord& r) { ++r.served_at; },         [](ReceiptRecord& r) { r.reply_ids.push_back("more"); },
      [](ReceiptRecord& r) { r.reply_ids.clear(); },   [](ReceiptRecord& r) { r.legacy.reset(); },
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
  // Two of one id in one batch.
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
  for (ReceiptRecord& each : batch) each.served_at = kStart + (&each - batch.data()) / 10;   // ten of each second
  std::vector<ReceiptRecord> shuffled;
  for (std::size_t i = 0; i < batch.size(); ++i) shuffled.push_back(batch[i * 7 % batch.size()]);
  put(shuffled);
  // Within a second they lie in the order of their places.
  std::ranges::sort(batch, {}, [](const ReceiptRecord& each) { return std::pair(each.served_at, testing::keys()->place(each.receipt_id)); });
  for (const std::size_t page : {1, 3, 10, 100}) EXPECT_EQ(all_of(*store_, page), batch) << page;
  const auto from = store_->list({kStart + 2, ""}, 5);
  ASSERT_TRUE(from);
  ASSERT_EQ(from->size(), 5u);
  EXPECT_EQ(from->front(), batch[20]);
  EXPECT_EQ(store_->list({0, ""}, 1'000'000)->size(), 40u);
  EXPECT_TRUE(store_->list({0, ""}, 0)->empty());
}

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
  // Ten minutes of it, pruned every five seconds: ten hours of age.
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
  // The same jump, and nobody corrects it: half a day and they are gone.
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
  // Back to the truth: only what really claims to be old goes.
  clock_.set(kStart + 60);
  steady_.advance(1'000'000);
  EXPECT_EQ(prune(), 1u);
  EXPECT_EQ(all_of(*store_).size(), 10u);
}

TEST_P(StoreContract, SpaceIsBounded) {
  std::vector<ReceiptRecord> batch;
  for (int i = 0; i < 1000; ++i) batch.push_back(record(i, 2000));
  batch[0].event_hashes = batch[700].event_hashes = std::string(32 * 1000, 'h');
  // The clock fell back half way: what comes later is older by its own word.
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
  const std::string odd[] = {"';DROP TABLE receipt;--", std::string("a\0b", 3), std::string("\0", 1), "\xff\xfe\x80", "%s%n", "\\x00",
                             "\"}\n{", "$1", "ünïcode \xed\xa0\x80", std::string(kMostReplyIdBytes, '\''), "{\"a\",NULL}", " ", "NULL"};
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
  for (std::size_t i = 0; i < kMostReplyIds; ++i) largest.reply_ids.push_back(std::string(kMostReplyIdBytes - 1, '\0') + static_cast<char>(i));
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
        // Whoever reads sees what was stored, through whichever connection.
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

TEST(OpenStore, TakesOnePlace) {
  EXPECT_EQ(open_store({}).error().code, ErrorCode::kUsage);
  StoreOptions two;
  two.memory = true;
  two.sqlite_file = "/tmp/x";
  EXPECT_EQ(open_store(two).error().code, ErrorCode::kUsage);
  StoreOptions negative;
  negative.memory = true;
  negative.limits.receipt_age_s = -1;
  EXPECT_EQ(open_store(negative).error().code, ErrorCode::kUsage);
}

TEST(OpenStore, ReadsOptions) {
  EXPECT_EQ(*parse_bytes("4G"), 4ull << 30);
  EXPECT_EQ(*parse_bytes("512MiB"), 512ull << 20);
  EXPECT_EQ(*parse_bytes("1048576"), 1048576u);
  EXPECT_EQ(*parse_bytes("0"), 0u);
  for (const char* wrong : {"", "G", "-1", "1.5G", "1GB", "1 G", "1g", "9999999999G", "99999999999999999999", "+1"}) EXPECT_FALSE(parse_bytes(wrong)) << wrong;
  EXPECT_EQ(*parse_age("30d"), 30 * 86400);
  EXPECT_EQ(*parse_age("36h"), 36 * 3600);
  EXPECT_EQ(*parse_age("90m"), 5400);
  EXPECT_EQ(*parse_age("0s"), 0);
  for (const char* wrong : {"", "30", "d", "-1d", "1y", "1dd", "366001d", "18446744073709551615d"}) EXPECT_FALSE(parse_age(wrong)) << wrong;
  EXPECT_EQ(*parse_durability("kill"), Durability::kProcess);
  EXPECT_EQ(*parse_durability("power"), Durability::kMachine);
  EXPECT_FALSE(parse_durability("full"));
}

}  // namespace
}  // namespace cloister::store
