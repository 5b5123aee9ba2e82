// Indexes, rows and totals that others have changed, and damage: nothing of it is trusted.
#include "store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "store/receipt_id.h"
#include "store/record.h"
#include "store/sqlite/sqlite_store_testing.h"

namespace cloister::store {
namespace {

using namespace testing;

// However many of them the indexes know already, the same receipts are found, listed and counted.
TEST_F(SqliteStoreTest, NobodySeesWhatIsIndexed) {
  std::vector<ReceiptRecord> put;
  const auto store = open(), second = open();
  for (int i = 0; i < 70; ++i) {
    put.push_back(record(i * 37 % 70));  // not in the order of time
    ASSERT_TRUE((i % 3 == 0 ? second : store)->put(std::span(&put.back(), 1)));
    if (i % 3 == 1) {
      ReceiptRecord other = put.back();
      other.receipt += ' ';
      EXPECT_EQ(second->put(std::span(&other, 1)).error().code, ErrorCode::kStoreConflict) << i;
      EXPECT_TRUE(second->put(std::span(&put.back(), 1))) << i;
    }
    std::vector<ReceiptRecord> sorted = put;
    std::ranges::sort(sorted, {}, &ReceiptRecord::served_at);
    ASSERT_EQ(all_of(*store, 1 + static_cast<std::size_t>(i) % 9), sorted) << i;
    std::uint64_t bytes = 0;
    for (const ReceiptRecord& each : put) {
      bytes += testing::counted(each);
      ASSERT_EQ(*store->find(each.receipt_id, each.owner), each);
      ASSERT_EQ(*second->find(each.reply_ids.back(), each.owner), each);
    }
    EXPECT_EQ(second->state()->receipts, put.size());
    EXPECT_EQ(second->state()->bytes, bytes);
    EXPECT_EQ(second->state()->oldest, sorted.front().served_at);
    EXPECT_LT(*beside()->number("SELECT (SELECT max(seq) FROM receipt) - indexed FROM state"), 16);
  }
}

TEST_F(SqliteStoreTest, BelievesNoIndex) {
  ASSERT_TRUE(open()->put(records(0, 40)));
  const std::string good = bytes();
  const auto damaged = [&](const char* change) {
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(with(suffix));
    write(good);
    EXPECT_TRUE(beside()->run(change)) << change;
    return open();
  };
  // The place of another receipt: not found, or an error, but never another receipt.
  EXPECT_FALSE(damaged("UPDATE place SET seq = 3 WHERE seq = 2")
                   ->find("rcpt-00000001", testing::owner(1))
                   .value_or(std::nullopt));
  EXPECT_EQ(damaged("UPDATE moment SET seq = 3 WHERE seq = 2")->list({}, 10).error().code, ErrorCode::kStoreDamaged);
  EXPECT_EQ(all_of(*damaged("DELETE FROM moment WHERE seq = 2")).size(), 39u);
  for (const char* indexed : {"-1", "9223372036854775807", "-9223372036854775808"}) {
    const auto store = damaged((std::string("UPDATE state SET indexed = ") + indexed).c_str());
    EXPECT_EQ(store->put(records(100, 1)).error().code, ErrorCode::kStoreDamaged);
    EXPECT_EQ(*store->find("chatcmpl-5", testing::owner(2)), record(5));
  }
  // As if nothing was indexed: what is found is what was put, and listing ends.
  const auto store = damaged("UPDATE state SET indexed = 0");
  EXPECT_EQ(all_of(*store, 5), records(0, 40));
  EXPECT_TRUE(store->put(records(100, 1)));
  EXPECT_TRUE(store->prune());
  EXPECT_EQ(all_of(*store, 5).size(), 41u);
  EXPECT_FALSE(
      damaged("UPDATE receipt SET size = -9223372036854775808; UPDATE state SET indexed = 20")->prune().value_or(0));
}

TEST_F(SqliteStoreTest, RefusesTablesThatAreNotItsOwn) {
  for (const char* change : {"CREATE TRIGGER t AFTER INSERT ON receipt BEGIN DELETE FROM receipt; END",
                             "CREATE VIEW v AS SELECT 1", "ALTER TABLE receipt ADD COLUMN more BLOB",
                             "DROP TABLE document", "CREATE TABLE more(x)", "DROP INDEX document_made"}) {
    fs::remove(file());
    ASSERT_TRUE(open()->put(records(0, 3)));
    ASSERT_TRUE(beside()->run(change));
    EXPECT_EQ(refusal().code, ErrorCode::kStoreDamaged) << change;
  }
}

TEST_F(SqliteStoreTest, JudgesWhatTheRowsHold) {
  const char* changes[] = {
      "UPDATE receipt SET sealed = x'00' WHERE seq = 1",
      "UPDATE receipt SET sealed = CAST(sealed || x'00' AS BLOB) WHERE seq = 1",
      "UPDATE receipt SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE seq = 1",
      "UPDATE receipt SET served_at = served_at + 1 WHERE seq = 1",
      "UPDATE event_hashes SET sealed = x'00'",
      "UPDATE receipt SET sealed = CAST(substr(sealed, 1, 60) || x'00' || substr(sealed, 62) AS BLOB) WHERE seq = 1"};
  for (const char* change : changes) {
    fs::remove(file());
    ASSERT_TRUE(open()->put(records(0, 8)));
    ASSERT_TRUE(beside()->run(change)) << change;
    const auto store = open();
    const auto listed = store->list({}, 10);
    ASSERT_FALSE(listed) << change;
    EXPECT_EQ(listed.error().code, ErrorCode::kStoreDamaged) << change;
    EXPECT_FALSE(store->find("chatcmpl-0", testing::owner(0)).value_or(std::nullopt)) << change;
    EXPECT_EQ(*store->find("chatcmpl-5", testing::owner(2)), record(5)) << "the others are there";
  }
  // It can still be pruned: nobody has to delete a file by hand.
  const auto gone = [&] {
    options_.limits.bytes = 0;
    return open()->prune();
  }();
  ASSERT_TRUE(gone) << gone.error().to_string();
  EXPECT_EQ(all_of(*open()).size(), 0u);
}

TEST_F(SqliteStoreTest, BelievesNoTotals) {
  ASSERT_TRUE(open()->put(records(0, 8)));
  for (const char* totals : {"9223372036854775807", "-9223372036854775807", "0"}) {
    ASSERT_TRUE(beside()->run(std::string("UPDATE state SET receipts = ") + totals + ", bytes = " + totals));
    options_.limits.bytes = 1000;
    EXPECT_TRUE(open()->prune()) << totals;
    EXPECT_TRUE(open()->state());
  }
  ASSERT_TRUE(beside()->run("DELETE FROM state"));
  EXPECT_EQ(open()->put(records(100, 1)).error().code, ErrorCode::kStoreDamaged);
}

TEST_F(SqliteStoreTest, NoticesDamageInTheMiddle) {
  ASSERT_TRUE(open()->put(records(0, 400)));
  const std::string whole = bytes();
  ASSERT_GT(whole.size(), 20 * 4096u);
  int noticed = 0;
  for (std::size_t page = 1; page < whole.size() / 4096; page += 3) {
    std::string damaged = whole;
    // The page's own header, which lists its cells.
    for (std::size_t i = 0; i < 12; ++i) damaged[page * 4096 + i] = static_cast<char>(0x5a + i);
    write(damaged);
    const auto opened = place_.open(options_);
    if (opened) continue;  // a page that holds only content: the receipt's signature shows that damage
    ++noticed;
    EXPECT_EQ(opened.error().code, ErrorCode::kStoreDamaged);
    EXPECT_NE(opened.error().message.find(file().string()), std::string::npos);
    EXPECT_EQ(bytes(), damaged) << "left for whoever repairs it";
  }
  EXPECT_GT(noticed, 5);
}

TEST_F(SqliteStoreTest, NoticesDamageWhileItIsOpen) {
  auto store = open();
  ASSERT_TRUE(store->put(records(0, 2000)));
  ASSERT_TRUE(beside()->run("PRAGMA wal_checkpoint(TRUNCATE)"));
  store.reset();
  store = open();
  const int fd = ::open(file().c_str(), O_WRONLY | O_CLOEXEC);
  const std::string garbage(4096, '\x7f');
  for (off_t page = 3; page < 100; ++page) ASSERT_EQ(::pwrite(fd, garbage.data(), garbage.size(), page * 4096), 4096);
  ::close(fd);
  const auto listed = store->list({}, 1000);
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, ErrorCode::kStoreDamaged);
  EXPECT_NE(listed.error().message.find(file().string()), std::string::npos);
  EXPECT_TRUE(fs::exists(file()));
}

TEST_F(SqliteStoreTest, IgnoresAHalfWrittenLog) {
  ASSERT_TRUE(open()->put(records(0, 10)));
  // What a crash of the machine can leave: a log whose end was not written.
  const auto child = in_child([&] {
    auto store = place_.open(options_);
    if (!store || !(*store)->put(records(10, 10)) || !(*store)->put(records(20, 10))) return 1;
    ::kill(::getpid(), SIGKILL);
    return 2;
  });
  ASSERT_EQ(child, 128 + SIGKILL);
  const std::uintmax_t size = fs::file_size(with("-wal"));
  fs::resize_file(with("-wal"), size - 100);
  const auto found = all_of(*open());
  EXPECT_EQ(found, records(0, 20)) << "the last batch goes as a whole";
}

}  // namespace
}  // namespace cloister::store
