// What can happen to a file: other users, other programs, damage, no space, locks, and the end of the process at any moment.
#include "store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "crypto/hash.h"
#include "store/receipt_id.h"
#include "store/record.h"
#include "store/sqlite/database.h"
#include "store/store_testing.h"

namespace cloister::store {
namespace {

namespace fs = std::filesystem;
using testing::all_of;
using testing::record;
using testing::records;

constexpr std::size_t kFileLimit = 1u << 30;

class SqliteStoreTest : public ::testing::Test {
 protected:
  SqliteStoreTest() { options_.clock = &clock_; }

  std::unique_ptr<ReceiptStore> open() {
    auto opened = place_.open(options_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    return opened ? *std::move(opened) : nullptr;
  }
  Error refusal() {
    const auto opened = place_.open(options_);
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
  std::string bytes() const { return read_file(file(), kFileLimit).value_or("unreadable"); }
  void write(const std::string& content) {
    fs::create_directories(file().parent_path());
    ASSERT_TRUE(write_file_atomically(file(), content, 0600));
  }
  // Another program's view of it.
  std::unique_ptr<Connection> beside() const { return *Connection::open(file(), file(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, 0); }
  fs::path file() const { return place_.file(); }
  fs::path with(const char* suffix) const { return file().string() + suffix; }

  FakeClock clock_{testing::kStart};
  StoreOptions options_;
  testing::SqlitePlace place_;
};

// Runs `work` in a child process; its exit status, or 128 and the signal.
template <typename Work>
int in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

unsigned mode_of(const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()) & 0777; }

// --- the file and its folder ------------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, IsForNobodyElse) {
  const mode_t before = ::umask(0);
  const auto store = open();
  ::umask(before);
  ASSERT_TRUE(store->put(records(0, 1)));
  EXPECT_EQ(mode_of(file()), 0600u);
  EXPECT_EQ(mode_of(with("-wal")), 0600u);
  EXPECT_EQ(mode_of(with("-shm")), 0600u);
  EXPECT_EQ(mode_of(file().parent_path()), 0700u);
}

TEST_F(SqliteStoreTest, IsNotMadeWhereItShouldBe) {
  options_.access = Access::kExisting;
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kStoreFailed);
  EXPECT_NE(error.message.find(file().string()), std::string::npos);
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_FALSE(fs::exists(file().parent_path()));
}

TEST_F(SqliteStoreTest, FollowsNoLink) {
  open().reset();
  const fs::path real = file().parent_path() / "real.db";
  fs::rename(file(), real);
  fs::create_symlink(real, file());
  EXPECT_NE(refusal().message.find("symbolic link"), std::string::npos);
  // A folder on the way may be one.
  fs::remove(file());
  fs::rename(real, file());
  const fs::path link = file().parent_path().parent_path() / "link";
  fs::create_symlink(file().parent_path(), link);
  StoreOptions options;
  options.sqlite_file = link / file().filename();
  options.keys = testing::keys();
  EXPECT_TRUE(open_store(options));
}

TEST_F(SqliteStoreTest, RefusesAFileThatOthersWrite) {
  open().reset();
  for (const unsigned mode : {0620u, 0602u, 0666u}) {
    fs::permissions(file(), fs::perms(mode));
    EXPECT_NE(refusal().message.find("other users"), std::string::npos) << mode;
  }
  fs::permissions(file(), fs::perms(0644));
  EXPECT_TRUE(open());
}

TEST_F(SqliteStoreTest, RefusesWhatIsNoFile) {
  fs::create_directories(file());
  EXPECT_EQ(refusal().code, ErrorCode::kStoreFailed);
  fs::remove(file());
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  EXPECT_NE(refusal().message.find("no regular file"), std::string::npos) << "and does not wait for anybody to write to it";
  // A file where a folder should be.
  StoreOptions options;
  options.sqlite_file = file() / "receipts.db";
  options.keys = testing::keys();
  EXPECT_FALSE(open_store(options));
}

TEST_F(SqliteStoreTest, TakesANameAsAName) {
  StoreOptions options;
  options.sqlite_file = file().parent_path() / "file:x?mode=memory";
  options.keys = testing::keys();
  ASSERT_TRUE((*open_store(options))->put(records(0, 1)));
  EXPECT_TRUE(fs::exists(options.sqlite_file));
}

TEST_F(SqliteStoreTest, SaysThatItCannotWrite) {
  if (::geteuid() != 0) GTEST_SKIP() << "becomes another user, which root alone can";
  ASSERT_TRUE(open()->put(records(0, 1)));
  fs::permissions(file().parent_path().parent_path(), fs::perms(0755));
  fs::permissions(file().parent_path(), fs::perms(0755));
  fs::permissions(file(), fs::perms(0644));
  EXPECT_EQ(in_child([&] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 1;
    const auto existing = place_.open(options_);
    if (existing || existing.error().code != ErrorCode::kStoreFailed || existing.error().message.find(file().parent_path().string()) == std::string::npos) return 2;
    StoreOptions fresh;
    fresh.sqlite_file = file().parent_path() / "new.db";
    fresh.keys = testing::keys();
    const auto made = open_store(fresh);
    if (made || made.error().code != ErrorCode::kStoreFailed) return 3;
    return 0;
  }), 0);
}

// --- what the file holds ----------------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, RefusesWhatIsNoDatabaseAndLeavesIt) {
  for (const std::string& content : {std::string("not a database, but quite a text"), std::string(5000, '\0'), std::string("SQLite format 3\0", 16) + std::string(4080, '\xff')}) {
    write(content);
    const Error error = refusal();
    EXPECT_EQ(error.code, ErrorCode::kStoreDamaged) << error.to_string();
    EXPECT_NE(error.message.find(file().string()), std::string::npos);
    EXPECT_EQ(bytes(), content);
  }
}

TEST_F(SqliteStoreTest, RefusesTheDatabaseOfAnotherProgram) {
  fs::create_directories(file().parent_path());
  ASSERT_TRUE(beside()->run("CREATE TABLE receipt(x); INSERT INTO receipt VALUES('theirs')"));
  const std::string before = bytes();
  EXPECT_NE(refusal().message.find("no receipt store"), std::string::npos);
  EXPECT_EQ(bytes(), before);
  ASSERT_TRUE(beside()->run("PRAGMA application_id=7"));
  EXPECT_EQ(refusal().code, ErrorCode::kStoreDamaged);
}

TEST_F(SqliteStoreTest, RefusesANewerVersion) {
  ASSERT_TRUE(open()->put(records(0, 3)));
  for (const char* version : {"4", "1000", "-1", "0"}) {
    ASSERT_TRUE(beside()->run(std::string("PRAGMA user_version=") + version));
    EXPECT_NE(refusal().message.find(std::string("version ") + version), std::string::npos);
  }
  ASSERT_TRUE(beside()->run("PRAGMA user_version=3"));
  EXPECT_EQ(all_of(*open()).size(), 3u);
}

// --- files of versions without encryption -----------------------------------------------------------------------------

// As those versions left them, word for word.
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

// Digests as they were then: SHA-256 without a key.
std::int64_t plain_id_key(std::string_view id) {
  const auto digest = crypto::sha256(as_bytes(id));
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | digest[i];
  return static_cast<std::int64_t>(key);
}

void put_plain(const Connection& file, int version, const std::vector<ReceiptRecord>& batch) {
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
    // The last of version 2 are in no index yet.
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
  // Everything of it that lies on the disk.
  std::string disk() const { return bytes() + (fs::exists(with("-wal")) ? read_file(with("-wal"), kFileLimit).value() : ""); }
};

INSTANTIATE_TEST_SUITE_P(Versions, PlainSqliteStoreTest, ::testing::Values(1, 2));

TEST_P(PlainSqliteStoreTest, IsTakenOver) {
  auto all = records(0, 300);
  std::reverse(all.begin(), all.begin() + 100);  // the order of arrival is not that of time
  make_plain(all, "INSERT INTO document VALUES(x'6b', x'706f6c696379', 1800000000, x'7465'); UPDATE state SET aged_to = 7");
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

// Also of what was deleted before: version 1 and 2 left it in pages that were not in use.
TEST_P(PlainSqliteStoreTest, NothingPlainIsLeft) {
  std::vector<ReceiptRecord> all = records(0, 600);
  for (ReceiptRecord& each : all) {
    each.event_hashes = std::string(320, static_cast<char>('A' + each.served_at % 26)) + "0123456789abcdef0123456789abcdef";
    each.owner.fill(0xc5);
  }
  make_plain(all, "PRAGMA secure_delete=OFF; DELETE FROM receipt WHERE seq > 300; DELETE FROM event_hashes WHERE seq > 300;"
                  "UPDATE state SET receipts = 300; PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string marks[] = {"\"padding\"", "rcpt-00000007", "rcpt-00000500", "chatcmpl-", "upstream-", "0123456789abcdef0123456789abcdef",
                               std::string(64, 'C'), std::string(16, '\xc5')};
  for (const std::string& mark : marks) EXPECT_NE(disk().find(mark), std::string::npos) << "as it was: " << mark;
  {
    const auto store = open();
    EXPECT_EQ(store->state()->receipts, 300u);
    for (const std::string& mark : marks) EXPECT_EQ(disk().find(mark), std::string::npos) << "while it is open: " << mark;
  }
  for (const std::string& mark : marks) EXPECT_EQ(disk().find(mark), std::string::npos) << mark;
  EXPECT_EQ(*beside()->number("SELECT plain FROM state"), 0);
}

// Somebody who reads keeps the log from being emptied: it is done when a later prune finds nobody.
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

// --- keys -------------------------------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, NothingOfARecordIsThereToRead) {
  ReceiptRecord one = record(4);
  one.receipt_id = new_receipt_id();
  one.reply_ids = {reply_id_of(one.receipt_id, "chatcmpl-"), "another-id-of-it"};
  one.owner.fill(0xc5);
  one.event_hashes = std::string(320, 'E');
  const auto store = open();
  ASSERT_TRUE(store->put(std::span(&one, 1)));
  ASSERT_TRUE(store->prune());
  const std::string disk = bytes() + read_file(with("-wal"), kFileLimit).value();
  const std::string id_digest(as_text(crypto::sha256(as_bytes(one.reply_ids[1]))));
  for (const std::string& mark : {one.receipt_id, one.receipt_id.substr(17), one.receipt.substr(0, 40), one.reply_ids[1], std::string(32, 'E'), std::string(16, '\xc5'),
                                  id_digest.substr(0, 8), std::string(as_text(one.legacy->request_sha256))}) {
    EXPECT_EQ(disk.find(mark), std::string::npos) << mark;
  }
}

TEST_F(SqliteStoreTest, AnotherKeyIsRefusedAndChangesNothing) {
  ASSERT_TRUE(open()->put(records(0, 40)));
  const std::string before = bytes();
  for (const auto& other : {testing::keys(1), StoreKeys::of_this_process()}) {
    options_.keys = other;
    const Error error = refusal();
    EXPECT_EQ(error.code, ErrorCode::kStoreFailed);
    EXPECT_NE(error.message.find(key_text(testing::keys()->newest())), std::string::npos) << error.message;
    EXPECT_NE(error.message.find(file().string()), std::string::npos);
    EXPECT_EQ(bytes(), before);
  }
  options_.keys = nullptr;
  EXPECT_EQ(all_of(*open()), records(0, 40));
}

TEST_F(SqliteStoreTest, KeysHaveEpochs) {
  ASSERT_TRUE(open()->put(records(0, 40)));
  options_.keys = testing::keys(0, 2);
  {
    const auto store = open();
    ASSERT_TRUE(store->put(records(40, 40)));
    EXPECT_EQ(all_of(*store, 7), records(0, 80));
    EXPECT_EQ(*store->find("chatcmpl-7", testing::owner(1)), record(7));
    EXPECT_TRUE(store->put(records(0, 1))) << "the same receipt, under the former key";
  }
  options_.keys = testing::keys(0, 1);
  EXPECT_NE(refusal().message.find("--receipt-key-epoch"), std::string::npos);
  options_.keys = testing::keys(0, 3);
  EXPECT_EQ(all_of(*open(), 7), records(0, 80));
}

// Where a TEE derives no keys, each start has others: what former processes stored is there until it is too old, and is not read.
TEST_F(SqliteStoreTest, KeysThatEndWithTheProcess) {
  options_.keys = StoreKeys::of_this_process();
  ASSERT_TRUE(open()->put(records(0, 40)));
  options_.keys = StoreKeys::of_this_process();
  const auto store = open();
  ASSERT_NE(store, nullptr);
  EXPECT_TRUE(all_of(*store).empty());
  EXPECT_FALSE(*store->find("chatcmpl-7", testing::owner(1)));
  ASSERT_TRUE(store->put(records(20, 40)));
  EXPECT_EQ(all_of(*store, 7), records(20, 40));
  EXPECT_EQ(store->state()->receipts, 80u);
}

TEST_F(SqliteStoreTest, RowsCannotBeMoved) {
  ASSERT_TRUE(open()->put(records(0, 40)));
  for (const char* change : {"UPDATE receipt SET sealed = (SELECT sealed FROM receipt WHERE seq = 3) WHERE seq = 2",
                             "UPDATE receipt SET place = (SELECT place FROM receipt WHERE seq = 3) WHERE seq = 2",
                             "UPDATE receipt SET served_at = served_at + 1 WHERE seq = 2",
                             "UPDATE event_hashes SET sealed = (SELECT sealed FROM event_hashes WHERE seq = 1) WHERE seq = 5",
                             "UPDATE receipt SET sealed = (SELECT sealed FROM event_hashes WHERE seq = 1) WHERE seq = 2"}) {
    const std::string good = bytes();
    ASSERT_TRUE(beside()->run(change)) << change;
    EXPECT_EQ(open()->list({}, 40).error().code, ErrorCode::kStoreDamaged) << change;
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(with(suffix));
    write(good);
  }
  EXPECT_EQ(all_of(*open()), records(0, 40));
}

// --- the tail
// -----------------------------------------------------------------------------------------------------------

// Whatever of them the indexes know already, the same receipts are found, listed and counted.
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
  // Another receipt's place: not found, or an error, but never another receipt.
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
  // As if nothing was indexed: what is found is what was put, and there is no end to nothing.
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
  const char* changes[] = {"UPDATE receipt SET sealed = x'00' WHERE seq = 1", "UPDATE receipt SET sealed = CAST(sealed || x'00' AS BLOB) WHERE seq = 1",
                           "UPDATE receipt SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE seq = 1",
                           "UPDATE receipt SET served_at = served_at + 1 WHERE seq = 1", "UPDATE event_hashes SET sealed = x'00'",
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
  // It can still be pruned away: nobody has to delete a file by hand.
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
    // The page's own header: what cells it has.
    for (std::size_t i = 0; i < 12; ++i) damaged[page * 4096 + i] = static_cast<char>(0x5a + i);
    write(damaged);
    const auto opened = place_.open(options_);
    if (opened) continue;   // a page of content alone: the signature of the receipt says that
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

// --- others, and no space ---------------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, WaitsForALockButNotForever) {
  const auto store = open();
  ASSERT_TRUE(store->put(records(0, 10)));
  const auto other = beside();
  ASSERT_TRUE(other->run("BEGIN IMMEDIATE"));
  const auto begun = std::chrono::steady_clock::now();
  const auto refused = store->put(records(10, 10));
  const auto took = std::chrono::steady_clock::now() - begun;
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStoreFailed);
  EXPECT_NE(refused.error().message.find("locked"), std::string::npos);
  EXPECT_GT(took, std::chrono::seconds(1));
  EXPECT_LT(took, std::chrono::seconds(10));
  EXPECT_EQ(all_of(*store).size(), 10u) << "who reads does not wait";
  // Given up while somebody waits.
  std::thread writer([&] { EXPECT_TRUE(store->put(records(10, 10))); });
  ASSERT_TRUE(other->run("ROLLBACK"));
  writer.join();
  EXPECT_EQ(all_of(*store).size(), 20u);
}

TEST_F(SqliteStoreTest, ManyProcessesMakeItAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = place_.open(options_);
      ::_exit(store && (*store)->put(records(100 * i, 20)) ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(all_of(*open()).size(), 120u);
}

TEST_F(SqliteStoreTest, AFullDiskRefusesAndRecovers) {
  ASSERT_TRUE(open()->put(records(0, 100)));
  EXPECT_EQ(in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    auto store = place_.open(options_);
    if (!store) return 1;
    const rlimit before = [] { rlimit out{}; ::getrlimit(RLIMIT_FSIZE, &out); return out; }();
    const rlimit tight{300'000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    int stored = 100, refused = 0;
    for (int i = 0; i < 200; ++i) {
      const auto put = (*store)->put(records(1000 + 10 * i, 10));
      if (put) stored += 10; else if (put.error().code != ErrorCode::kStoreFailed) return 2; else ++refused;
    }
    if (refused == 0) return 3;
    // What was there is there, and is found.
    if (all_of(**store).size() != static_cast<std::size_t>(stored)) return 4;
    if (*(*store)->find("chatcmpl-7", testing::owner(1)) != record(7)) return 5;
    ::setrlimit(RLIMIT_FSIZE, &before);
    if (!(*store)->put(records(100'000, 10))) return 6;
    return all_of(**store).size() == static_cast<std::size_t>(stored) + 10 ? 0 : 7;
  }), 0);
  EXPECT_GT(all_of(*open()).size(), 100u);
}

TEST_F(SqliteStoreTest, StaysWithinItsSpaceOnDisk) {
  options_.limits.bytes = 4u << 20;
  const auto store = open();
  std::uintmax_t largest = 0, largest_log = 0;
  for (int i = 0; i < 60; ++i) {
    std::vector<ReceiptRecord> batch;
    for (int j = 0; j < 256; ++j) batch.push_back(record(1000 * i + j, 1500));
    ASSERT_TRUE(store->put(batch));
    ASSERT_TRUE(store->prune());
    largest = std::max(largest, fs::file_size(file()));
    largest_log = std::max(largest_log, fs::file_size(with("-wal")));
  }
  // 23 MiB went through it.
  EXPECT_LT(largest, (4u << 20) * 3 / 2);
  EXPECT_LT(largest_log, 48u << 20);
  EXPECT_GT(store->state()->bytes, 3u << 20);
}

TEST_F(SqliteStoreTest, GivesSpaceBack) {
  {
    const auto store = open();
    for (int i = 0; i < 20; ++i) {
      std::vector<ReceiptRecord> batch;
      for (int j = 0; j < 64; ++j) batch.push_back(record(1000 * i + j, 20'000));
      ASSERT_TRUE(store->put(batch));
    }
  }
  const std::uintmax_t before = fs::file_size(file());
  ASSERT_GT(before, 24u << 20);
  options_.limits.bytes = 1u << 20;
  ASSERT_TRUE(open()->prune());
  EXPECT_LT(fs::file_size(file()), 20u << 20);
  EXPECT_GT(all_of(*open()).size(), 30u);
}

TEST_F(SqliteStoreTest, PruningLetsWritersIn) {
  {
    const auto store = open();
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(store->put(records(1000 * i, 500)));
  }
  options_.limits.bytes = 100'000;
  const auto store = open();
  std::atomic<bool> pruned = false;
  std::thread pruner([&] { EXPECT_GT(store->prune().value_or(0), 15'000u); pruned = true; });
  int during = 0;
  auto slowest = std::chrono::steady_clock::duration::zero();
  for (int i = 0; !pruned; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_TRUE(store->put(std::vector{record(100'000 + i)}));
    slowest = std::max(slowest, std::chrono::steady_clock::now() - begun);
    ++during;
  }
  pruner.join();
  EXPECT_GT(during, 20) << "20,000 receipts in steps of 128";
  EXPECT_LT(slowest, std::chrono::milliseconds(500));
}

// --- the end of the process -------------------------------------------------------------------------------------------

// Puts batch after batch and says so on the pipe after each, until it is killed.
[[noreturn]] void write_until_killed(const StoreOptions& options, int out, int first) {
  auto store = open_store(options);
  if (!store) ::_exit(1);
  for (int batch = first;; ++batch) {
    auto some = records(batch * 100, 1 + batch % 9);
    if (!(*store)->put(some)) ::_exit(2);
    if (::write(out, &batch, sizeof batch) != sizeof batch) ::_exit(3);
    if (batch % 16 == 0 && !(*store)->prune()) ::_exit(4);
  }
}

TEST_F(SqliteStoreTest, EveryStoredReceiptSurvivesAKill) {
  options_.sqlite_file = file();
  options_.keys = testing::keys();
  int first = 0, promised = -1;
  for (int round = 0; round < 25; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(options_, pipe[1], first);
    ::close(pipe[1]);
    // At least one, then a moment more: never at the same place.
    int batch = 0, said = 0;
    const int wanted = 1 + round * 7 % 40;
    while (said < wanted && ::read(pipe[0], &batch, sizeof batch) == sizeof batch) promised = batch, ++said;
    std::this_thread::sleep_for(std::chrono::microseconds(round * 173 % 2000));
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &batch, sizeof batch) == sizeof batch) promised = batch;
    ::close(pipe[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "ended by itself with " << WEXITSTATUS(status);
    ASSERT_GE(promised, first) << "round " << round;

    const auto store = open();
    std::vector<ReceiptRecord> expected;
    for (int b = 0; b <= promised; ++b) {
      const auto some = records(b * 100, 1 + b % 9);
      expected.insert(expected.end(), some.begin(), some.end());
    }
    auto found = all_of(*store);
    // The batch at work when it was killed: whole, or not at all.
    const std::size_t more = found.size() - expected.size();
    ASSERT_TRUE(more == 0 || more == static_cast<std::size_t>(1 + (promised + 1) % 9)) << more;
    if (more > 0) ++promised;
    found.resize(expected.size());
    ASSERT_EQ(found, expected);
    ASSERT_EQ(store->state()->receipts, expected.size() + more);
    ASSERT_EQ(*store->find(expected.back().reply_ids[0], expected.back().owner), expected.back());
    first = promised + 1;
  }
  EXPECT_GT(promised, 300);
}

}  // namespace
}  // namespace cloister::store
