// Files of versions without encryption: they are taken over, and no plain text is left.
#include "store/sqlite/sqlite_store.h"

#include <signal.h>

#include <algorithm>

#include "crypto/hash.h"
#include "store/record.h"
#include "store/sqlite/sqlite_store_testing.h"

namespace cloister::store {
namespace {

using namespace testing;

// The statements of those versions, word for word.
constexpr const char* kBegin = "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;";
constexpr const char* kOfBoth =
    "CREATE TABLE name(id INTEGER NOT NULL, owner INTEGER NOT NULL, seq INTEGER NOT NULL, "
    "PRIMARY KEY(id, owner, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE event_hashes(seq INTEGER PRIMARY KEY, served_at INTEGER NOT NULL, hashes BLOB NOT NULL) STRICT;"
    "CREATE INDEX event_hashes_served ON event_hashes(served_at);"
    "CREATE TABLE document(key BLOB NOT NULL, kind BLOB NOT NULL, made INTEGER NOT NULL, text BLOB NOT NULL, "
    "PRIMARY KEY(key, kind)) STRICT;"
    "CREATE INDEX document_made ON document(made);"
    "PRAGMA application_id=1131180916;";
constexpr const char* kOf1 =
    "CREATE TABLE receipt(seq INTEGER PRIMARY KEY, receipt_id BLOB NOT NULL UNIQUE, served_at INTEGER NOT NULL, "
    "owner BLOB NOT NULL, size INTEGER NOT NULL, reply_ids BLOB NOT NULL, legacy BLOB, receipt BLOB NOT NULL) STRICT;"
    "CREATE INDEX receipt_served ON receipt(served_at, receipt_id);"
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), next_seq INTEGER NOT NULL, receipts INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, aged_to INTEGER NOT NULL) STRICT;"
    "INSERT INTO state VALUES(1, 1, 0, 0, 0); PRAGMA user_version=1";
constexpr const char* kOf2 =
    "CREATE TABLE receipt(seq INTEGER PRIMARY KEY, receipt_id BLOB NOT NULL, served_at INTEGER NOT NULL, "
    "owner BLOB NOT NULL, size INTEGER NOT NULL, reply_ids BLOB NOT NULL, legacy BLOB, receipt BLOB NOT NULL) STRICT;"
    "CREATE TABLE place(receipt_id BLOB NOT NULL PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE moment(served_at INTEGER NOT NULL, receipt_id BLOB NOT NULL, seq INTEGER NOT NULL, "
    "PRIMARY KEY(served_at, receipt_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), indexed INTEGER NOT NULL, receipts INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, aged_to INTEGER NOT NULL) STRICT;"
    "INSERT INTO state VALUES(1, 0, 0, 0, 0); PRAGMA user_version=2";

// Digests in the former form: SHA-256 without a key.
std::int64_t plain_id_key(std::string_view id) {
  const auto digest = crypto::sha256(as_bytes(id));
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | digest[i];
  return static_cast<std::int64_t>(key);
}

void put_plain(const db::sqlite::Connection& file, int version, const std::vector<ReceiptRecord>& batch) {
  ASSERT_TRUE(file.run("BEGIN"));
  auto receipt = *file.prepare("INSERT INTO receipt VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  auto name = *file.prepare("INSERT INTO name VALUES(?1, ?2, ?3)");
  auto hashes = *file.prepare("INSERT INTO event_hashes VALUES(?1, ?2, ?3)");
  auto state = *file.prepare(version == 1 ? "UPDATE state SET next_seq = ?1 + 1, receipts = receipts + 1"
                                          : "UPDATE state SET indexed = ?1, receipts = receipts + 1");
  std::int64_t seq = *file.number("SELECT max(seq) FROM receipt");
  const std::int64_t last = seq + static_cast<std::int64_t>(batch.size());
  for (const ReceiptRecord& each : batch) {
    const std::string ids = pack_ids(each.reply_ids), legacy = each.legacy ? pack_legacy(*each.legacy) : "";
    receipt.bind(1, ++seq).bind(2, each.receipt_id).bind(3, each.served_at).bind(4, as_text(each.owner));
    receipt.bind(5, static_cast<std::int64_t>(record_size(each))).bind(6, ids).bind(8, each.receipt);
    if (each.legacy) receipt.bind(7, legacy);
    ASSERT_TRUE(receipt.run());
    if (!each.event_hashes.empty()) {
      ASSERT_TRUE(hashes.bind(1, seq).bind(2, each.served_at).bind(3, each.event_hashes).run());
    }
    // The last receipts of version 2 are in no index yet.
    if (version == 2 && last - seq < 5) continue;
    for (const std::string& id : each.reply_ids) {
      ASSERT_TRUE(name.bind(1, plain_id_key(id)).bind(2, each.owner[0] << 8 | each.owner[1]).bind(3, seq).run());
    }
    if (version == 2) {
      auto place = *file.prepare("INSERT INTO place VALUES(?1, ?2)");
      auto moment = *file.prepare("INSERT INTO moment VALUES(?1, ?2, ?3)");
      ASSERT_TRUE(place.bind(1, each.receipt_id).bind(2, seq).run());
      ASSERT_TRUE(moment.bind(1, each.served_at).bind(2, each.receipt_id).bind(3, seq).run());
    }
    ASSERT_TRUE(state.bind(1, seq).run());
  }
  ASSERT_TRUE(file.run("COMMIT"));
}

// Their owners were digests without a key.
ReceiptRecord taken_over(ReceiptRecord record) {
  record.owner = testing::keys()->owner(record.owner);
  return record;
}
std::vector<ReceiptRecord> taken_over(std::vector<ReceiptRecord> records) {
  for (ReceiptRecord& each : records) each = taken_over(std::move(each));
  return records;
}

class PlainSqliteStoreTest : public SqliteStoreTest, public ::testing::WithParamInterface<int> {
 protected:
  void make_plain(const std::vector<ReceiptRecord>& records, const std::string& more = "") {
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(with(suffix));
    fs::create_directories(file().parent_path());
    const auto old = beside();
    ASSERT_TRUE(old->run(std::string(kBegin) + kOfBoth + (GetParam() == 1 ? kOf1 : kOf2)));
    put_plain(*old, GetParam(), records);
    ASSERT_TRUE(old->run(more.empty() ? "SELECT 1" : more));
    fs::permissions(file(), fs::perms(0600));
  }
  // Everything of the store that is on the disk.
  std::string disk() const {
    return bytes() + (fs::exists(with("-wal")) ? read_file(with("-wal"), kFileLimit).value() : "");
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, PlainSqliteStoreTest, ::testing::Values(1, 2));

TEST_P(PlainSqliteStoreTest, IsTakenOver) {
  auto all = records(0, 300);
  std::reverse(all.begin(), all.begin() + 100);  // the order of arrival differs from that of time
  make_plain(all,
             "INSERT INTO document VALUES(x'6b', x'706f6c696379', 1800000000, x'7465'); UPDATE state SET aged_to = 7");
  const auto expected = taken_over(records(0, 300));
  std::uint64_t bytes = 0;
  for (const ReceiptRecord& each : expected) bytes += testing::counted(each);
  {
    const auto store = open();
    EXPECT_EQ(all_of(*store, 7), expected);
    for (const std::size_t i : {0u, 99u, 100u, 299u}) {
      EXPECT_EQ(*store->find(expected[i].receipt_id, expected[i].owner), expected[i]);
      EXPECT_EQ(*store->find(expected[i].reply_ids[0], expected[i].owner), expected[i]);
    }
    EXPECT_EQ(store->state()->receipts, 300u);
    EXPECT_EQ(store->state()->bytes, bytes);
    EXPECT_EQ(store->state()->oldest, testing::kStart);
    EXPECT_EQ((*store->find_document("policy", "k"))->text, "te");
    EXPECT_TRUE(store->put(std::span(expected).first(1))) << "the same receipt";
    ASSERT_TRUE(store->put(records(300, 20)));
  }
  EXPECT_EQ(all_of(*open()).size(), 320u) << "and again as a file of this version";
  EXPECT_EQ(*beside()->number("SELECT aged_to FROM state"), 7);
}

// This includes what was deleted before: versions 1 and 2 left it in unused pages.
TEST_P(PlainSqliteStoreTest, NothingPlainIsLeft) {
  std::vector<ReceiptRecord> all = records(0, 600);
  for (ReceiptRecord& each : all) {
    each.event_hashes =
        std::string(320, static_cast<char>('A' + each.served_at % 26)) + "0123456789abcdef0123456789abcdef";
    each.owner.fill(0xc5);
  }
  make_plain(all,
             "PRAGMA secure_delete=OFF; DELETE FROM receipt WHERE seq > 300; DELETE FROM event_hashes WHERE seq > 300;"
             "UPDATE state SET receipts = 300; PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string marks[] = {"\"padding\"",        "rcpt-00000007",
                               "rcpt-00000500",      "chatcmpl-",
                               "upstream-",          "0123456789abcdef0123456789abcdef",
                               std::string(64, 'C'), std::string(16, '\xc5')};
  for (const std::string& mark : marks) EXPECT_NE(disk().find(mark), std::string::npos) << "as it was: " << mark;
  {
    const auto store = open();
    EXPECT_EQ(store->state()->receipts, 300u);
    for (const std::string& mark : marks)
      EXPECT_EQ(disk().find(mark), std::string::npos) << "while it is open: " << mark;
  }
  for (const std::string& mark : marks) EXPECT_EQ(disk().find(mark), std::string::npos) << mark;
  EXPECT_EQ(*beside()->number("SELECT plain FROM state"), 0);
}

// A reader keeps the log from being emptied: this is done when a later prune finds no reader.
TEST_P(PlainSqliteStoreTest, IsWipedLaterWhenSomebodyReads) {
  make_plain(records(0, 100));
  const auto other = beside();
  ASSERT_TRUE(other->run("BEGIN"));
  ASSERT_TRUE(other->number("SELECT count(*) FROM receipt"));
  const auto store = open();
  ASSERT_NE(store, nullptr);
  EXPECT_NE(disk().find("rcpt-00000007"), std::string::npos);
  ASSERT_TRUE(other->run("COMMIT"));
  ASSERT_TRUE(store->prune());
  EXPECT_EQ(disk().find("rcpt-00000007"), std::string::npos);
  EXPECT_EQ(all_of(*store), taken_over(records(0, 100)));
}

TEST_P(PlainSqliteStoreTest, ChangesNothingInAForeignOne) {
  for (const char* change : {"CREATE TABLE more(x)", "DROP INDEX event_hashes_served", "CREATE VIEW v AS SELECT 1"}) {
    make_plain(records(0, 10), change);
    EXPECT_EQ(refusal().code, ErrorCode::kStoreDamaged) << change;
    EXPECT_EQ(*beside()->number("PRAGMA user_version"), GetParam());
    EXPECT_EQ(*beside()->number("SELECT count(*) FROM receipt"), 10);
  }
}

TEST_P(PlainSqliteStoreTest, IsNotEncryptedWithKeysThatEnd) {
  make_plain(records(0, 10));
  options_.keys = StoreKeys::of_this_process();
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kStoreFailed);
  EXPECT_NE(error.message.find("would be lost"), std::string::npos) << error.message;
  options_.keys = nullptr;
  EXPECT_EQ(all_of(*open()).size(), 10u);
}

TEST_P(PlainSqliteStoreTest, AKillLeavesOneOfBoth) {
  for (int round = 0; round < 10; ++round) {
    make_plain(records(0, 1500));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(place_.open(options_) ? 0 : 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(4 * round * round / 3));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_EQ(all_of(*open()), taken_over(records(0, 1500))) << "round " << round;
    EXPECT_EQ(disk().find("rcpt-00000007"), std::string::npos) << "round " << round;
  }
}

}  // namespace
}  // namespace cloister::store
