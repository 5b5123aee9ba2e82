// What can happen to a server: it stops, crashes, is slow, is missing, is somebody else's; and connection strings.
#include "store/postgres/postgres_store.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "base/encoding.h"
#include "base/file_descriptor.h"
#include "store/postgres/postgres_testing.h"
#include "store/record.h"

namespace cloister::store {
namespace {

using Server = db::postgres::testing::Server;
using testing::all_of;
using testing::record;
using testing::records;

class PostgresStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CLOISTER_NEED_POSTGRES();
    place_ = std::make_unique<testing::PostgresPlace>();
    options_.clock = &clock_;
  }
  void TearDown() override { place_.reset(); }

  std::unique_ptr<ReceiptStore> open() {
    auto opened = place_->open(options_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    return opened ? *std::move(opened) : nullptr;
  }
  Server& server() { return Server::instance(); }
  std::string sql(const std::string& text) {
    return server().sql("SET search_path = " + place_->schema() + "; " + text);
  }

  FakeClock clock_{testing::kStart};
  StoreOptions options_;
  std::unique_ptr<testing::PostgresPlace> place_;
};

template <typename Work>
std::chrono::milliseconds time_of(Work work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
}

TEST_F(PostgresStoreTest, ReplicasStartTogether) {
  std::atomic<int> failures = 0;
  std::vector<std::thread> replicas;
  for (int i = 0; i < 6; ++i) {
    replicas.emplace_back([&, i] {
      auto store = place_->open(options_);
      if (!store)
        ADD_FAILURE() << store.error().to_string(), ++failures;
      else if (const auto put = (*store)->put(records(100 * i, 20)); !put)
        ADD_FAILURE() << put.error().to_string(), ++failures;
    });
  }
  for (std::thread& each : replicas) each.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(all_of(*open()).size(), 120u);
  EXPECT_EQ(open()->state()->receipts, 120u);
}

TEST_F(PostgresStoreTest, ReplicasPruneTogether) {
  const auto one = open(), other = open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(one->put(records(1000 * i, 500)));
  options_.limits.bytes = one->state()->bytes / 2;
  const auto small = open(), smaller = open();
  std::thread beside([&] { EXPECT_TRUE(small->prune()); });
  EXPECT_TRUE(smaller->prune());
  beside.join();
  const StoreState state = *one->state();
  EXPECT_LE(state.bytes, options_.limits.bytes);
  EXPECT_GT(state.receipts, 500u) << "both together delete what one would, or a few steps more";
  EXPECT_EQ(all_of(*other).size(), state.receipts);
  EXPECT_EQ(sql("SELECT count(*) FROM cloister_name WHERE seq NOT IN (SELECT seq FROM cloister_receipt)"), "0");
}

// Stops or crashes the server repeatedly while one thread writes and one reads.
void go_on_through(Server& server, ReceiptStore& store, int rounds, const std::function<void()>& end) {
  std::atomic<bool> done = false;
  std::atomic<int> stored = 0;
  std::thread writer([&] {
    for (int batch = 0; !done; ++batch) {
      // After an error it is unknown whether the record was stored: repeat until a put succeeds.
      for (int attempt = 0;; ++attempt) {
        const auto put = store.put(records(batch * 100, 10));
        if (put) break;
        EXPECT_EQ(put.error().code, ErrorCode::kStoreFailed) << put.error().to_string();
        if (attempt == 20) return ADD_FAILURE() << put.error().to_string(), void();
      }
      stored = batch + 1;
    }
  });
  std::thread reader([&] {
    while (!done) {
      const int last = stored - 1;
      if (last < 0) continue;
      const auto found = store.find(record(last * 100).receipt_id, record(last * 100).owner);
      if (!found) continue;  // no server is running at that moment
      EXPECT_EQ(*found, record(last * 100));
    }
  });
  for (int round = 0; round < rounds; ++round) {
    const int before = stored;
    while (stored < before + 10) std::this_thread::yield();
    end();
    server.start();
  }
  const int before = stored;
  while (stored < before + 10) std::this_thread::yield();
  done = true;
  writer.join();
  reader.join();
  std::vector<ReceiptRecord> expected;
  for (int batch = 0; batch < stored; ++batch) {
    const auto some = records(batch * 100, 10);
    expected.insert(expected.end(), some.begin(), some.end());
  }
  EXPECT_EQ(all_of(store), expected);
  EXPECT_EQ(store.state()->receipts, expected.size());
}

TEST_F(PostgresStoreTest, GoesOnWhenTheServerIsRestarted) {
  const auto store = open();
  go_on_through(server(), *store, 4, [&] { server().stop(); });
}

TEST_F(PostgresStoreTest, LosesNothingWhenTheServerCrashes) {
  options_.durability = Durability::kMachine;
  const auto store = open();
  go_on_through(server(), *store, 2, [&] { server().crash(); });
}

TEST_F(PostgresStoreTest, SaysWithinSecondsThatTheServerIsGone) {
  const auto store = open();
  ASSERT_TRUE(store->put(records(0, 10)));
  server().stop();
  EXPECT_LT(time_of([&] {
              EXPECT_EQ(store->find("chatcmpl-1", testing::owner(1)).error().code, ErrorCode::kStoreFailed);
            }).count(),
            4000);
  EXPECT_LT(time_of([&] { EXPECT_EQ(store->put(records(10, 10)).error().code, ErrorCode::kStoreFailed); }).count(),
            7000);
  server().start();
  EXPECT_TRUE(store->put(records(10, 10)));
  EXPECT_EQ(*store->find("chatcmpl-1", testing::owner(1)), record(1));
  EXPECT_EQ(all_of(*store).size(), 20u);
}

TEST_F(PostgresStoreTest, WaitsForALockButNotForever) {
  const auto store = open();
  std::thread other([&] { sql("BEGIN; LOCK TABLE cloister_receipt; SELECT pg_sleep(3); COMMIT"); });
  while (
      sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'cloister_receipt'::regclass") ==
      "0")
    std::this_thread::yield();
  EXPECT_LT(time_of([&] {
              const auto put = store->put(records(0, 10));
              ASSERT_FALSE(put);
              EXPECT_EQ(put.error().code, ErrorCode::kStoreFailed);
              EXPECT_NE(put.error().message.find("lock"), std::string::npos) << put.error().message;
            }).count(),
            4000);
  other.join();
  EXPECT_TRUE(store->put(records(0, 10)));
}

TEST_F(PostgresStoreTest, ATransactionThatLosesIsRepeated) {
  const auto store = open();
  ASSERT_TRUE(store->put(records(0, 2)));
  // The server chooses the longest waiter as the victim of a deadlock; ending a transaction by hand has the same effect.
  std::atomic<bool> done = false;
  std::thread killer([&] {
    while (!done)
      sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'cloister'");
  });
  for (int i = 0; i < 100; ++i) {
    const auto put = store->put(records(10 + 10 * i, 10));
    EXPECT_TRUE(put) << put.error().to_string();
  }
  done = true;
  killer.join();
  EXPECT_EQ(all_of(*store).size(), 1002u);
  EXPECT_EQ(store->state()->receipts, 1002u);
}

TEST_F(PostgresStoreTest, IsNotMadeWhereItShouldBe) {
  options_.access = Access::kExisting;
  EXPECT_EQ(place_->open(options_).error().code, ErrorCode::kStoreFailed);
  EXPECT_EQ(server().sql("SELECT count(*) FROM pg_tables WHERE schemaname = '" + place_->schema() + "'"), "0");
}

TEST_F(PostgresStoreTest, RefusesANewerVersion) {
  open().reset();
  sql("UPDATE cloister_store SET version = 3");
  const auto newer = place_->open(options_);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, ErrorCode::kStoreDamaged);
  EXPECT_NE(newer.error().message.find("version 3"), std::string::npos);
}

TEST_F(PostgresStoreTest, JudgesWhatTheRowsHold) {
  const auto store = open();
  ASSERT_TRUE(store->put(records(0, 8)));
  sql("UPDATE cloister_receipt SET sealed = '\\x00' WHERE served_at = " + std::to_string(testing::kStart));
  EXPECT_EQ(store->list({}, 10).error().code, ErrorCode::kStoreDamaged);
  EXPECT_EQ(store->find("chatcmpl-0", testing::owner(0)).error().code, ErrorCode::kStoreDamaged);
  EXPECT_EQ(*store->find("chatcmpl-5", testing::owner(2)), record(5));
}

// --- keys -------------------------------------------------------------------------------------------------------------

TEST_F(PostgresStoreTest, AnotherKeyIsRefusedAndChangesNothing) {
  ASSERT_TRUE(open()->put(records(0, 40)));
  options_.keys = testing::keys(1);
  const auto other = place_->open(options_);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kStoreFailed);
  EXPECT_NE(other.error().message.find(key_text(testing::keys()->newest())), std::string::npos)
      << other.error().message;
  options_.keys = testing::keys(0, 2);
  ASSERT_TRUE(open()->put(records(40, 40)));
  EXPECT_EQ(all_of(*open(), 7), records(0, 80));
  options_.keys = nullptr;
  EXPECT_FALSE(place_->open(options_)) << "a former epoch";
}

TEST_F(PostgresStoreTest, RowsCannotBeMoved) {
  const auto store = open();
  ASSERT_TRUE(store->put(records(0, 8)));
  sql("UPDATE cloister_receipt SET sealed = (SELECT sealed FROM cloister_receipt WHERE seq = 3) WHERE seq = 2");
  EXPECT_EQ(store->list({}, 10).error().code, ErrorCode::kStoreDamaged);
  EXPECT_EQ(*store->find("chatcmpl-5", testing::owner(2)), record(5));
}

// The tables of version 1, word for word.
constexpr const char* kVersion1 =
    "CREATE TABLE cloister_store(one boolean PRIMARY KEY DEFAULT true CHECK (one), version int8 NOT NULL, aged_to int8 NOT NULL);"
    "CREATE TABLE cloister_receipt(seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, receipt_id bytea NOT NULL UNIQUE, "
    "served_at int8 NOT NULL, owner bytea NOT NULL, size int8 NOT NULL, reply_ids bytea NOT NULL, legacy bytea, receipt bytea NOT NULL);"
    "CREATE INDEX cloister_receipt_served ON cloister_receipt(served_at, receipt_id);"
    "CREATE TABLE cloister_name(id int8 NOT NULL, owner int4 NOT NULL, seq int8 NOT NULL, PRIMARY KEY(id, owner, seq));"
    "CREATE TABLE cloister_event_hashes(seq int8 PRIMARY KEY, served_at int8 NOT NULL, hashes bytea NOT NULL);"
    "CREATE INDEX cloister_event_hashes_served ON cloister_event_hashes(served_at);"
    "CREATE TABLE cloister_document(key bytea NOT NULL, kind bytea NOT NULL, made int8 NOT NULL, text bytea NOT NULL, PRIMARY KEY(key, kind));"
    "CREATE INDEX cloister_document_made ON cloister_document(made);"
    "CREATE TABLE cloister_totals(slot int4 PRIMARY KEY, receipts int8 NOT NULL, bytes int8 NOT NULL);"
    "INSERT INTO cloister_totals SELECT slot, 0, 0 FROM generate_series(0, 15) slot;"
    "INSERT INTO cloister_store(version, aged_to) VALUES (1, 7)";

std::string bytea(std::string_view bytes) { return "'\\x" + to_hex(as_bytes(bytes)) + "'::bytea"; }

TEST_F(PostgresStoreTest, Version1IsTakenOverAndNothingPlainIsLeft) {
  sql(kVersion1);
  std::vector<ReceiptRecord> expected = records(0, 70);
  std::int64_t seq = 0;
  for (ReceiptRecord& each : expected) {
    std::string text =
        "INSERT INTO cloister_receipt(receipt_id, served_at, owner, size, reply_ids, legacy, receipt) VALUES (" +
        bytea(each.receipt_id) + ", " + std::to_string(each.served_at) + ", " + bytea(as_text(each.owner)) + ", 1, " +
        bytea(pack_ids(each.reply_ids)) + ", " + (each.legacy ? bytea(pack_legacy(*each.legacy)) : "NULL") + ", " +
        bytea(each.receipt) + ")";
    ++seq;
    if (!each.event_hashes.empty()) {
      text += "; INSERT INTO cloister_event_hashes VALUES (" + std::to_string(seq) + ", " +
              std::to_string(each.served_at) + ", " + bytea(each.event_hashes) + ")";
    }
    sql(text);
    each.owner = testing::keys()->owner(each.owner);
  }
  options_.keys = StoreKeys::of_this_process();
  EXPECT_FALSE(place_->open(options_)) << "keys that end";
  options_.keys = nullptr;
  std::vector<std::thread> replicas;
  for (int i = 0; i < 3; ++i) replicas.emplace_back([&] { EXPECT_TRUE(place_->open(options_)); });
  for (std::thread& each : replicas) each.join();
  const auto store = open();
  EXPECT_EQ(all_of(*store, 30), expected);
  EXPECT_EQ(*store->find("chatcmpl-7", expected[7].owner), expected[7]);
  EXPECT_EQ(store->state()->receipts, 70u);
  std::uint64_t bytes = 0;
  for (const ReceiptRecord& each : expected) bytes += testing::counted(each);
  EXPECT_EQ(store->state()->bytes, bytes);
  EXPECT_EQ(
      sql("SELECT count(*) FROM pg_tables WHERE schemaname = '" + place_->schema() + "' AND tablename LIKE '%plain%'"),
      "0");
  EXPECT_EQ(sql("SELECT count(*) FROM cloister_receipt WHERE position('padding'::bytea IN sealed) > 0"), "0");
  EXPECT_EQ(sql("SELECT aged_to FROM cloister_store"), "7");
}

// --- connection strings -----------------------------------------------------------------------------------------------

TEST_F(PostgresStoreTest, NeverRepeatsTheConnectionString) {
  const std::string secret = "hunter2";
  for (const std::string& text :
       {secret, "password=" + secret + " host", "postgresql://user:" + secret + "@[::/x",
        "host=/nonexistent user=u password=" + secret,
        server().connection() + " password=" + secret + " dbname=nowhere", "user=u nonsense=" + secret,
        std::string("host=/x\0", 8) + secret, std::string(20'000, 'x') + secret, "'" + secret}) {
    std::ofstream(place_->file(), std::ios::binary) << text;
    const auto opened = place_->open(options_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().to_string().find(secret), std::string::npos) << opened.error().to_string();
    EXPECT_FALSE(opened.error().message.empty());
  }
  std::filesystem::remove(place_->file());
  EXPECT_EQ(place_->open(options_).error().code, ErrorCode::kUsage);
}

// Answers 'N' to a request for TLS, and counts the bytes after that.
class ServerWithoutTls {
 public:
  ServerWithoutTls() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);  // 127.0.0.2 does not count as this machine
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      while (true) {
        const FileDescriptor peer(::accept(listener_.get(), nullptr, nullptr));
        if (peer.get() < 0) return;
        char bytes[512];
        const ssize_t asked = ::recv(peer.get(), bytes, sizeof bytes, 0);
        if (asked != 8) plain_ += asked;  // an SSLRequest has 8 bytes, a first plain message more
        ::send(peer.get(), "N", 1, MSG_NOSIGNAL);
        const ssize_t more = ::recv(peer.get(), bytes, sizeof bytes, 0);
        if (more > 0) plain_ += more;
      }
    });
  }
  ~ServerWithoutTls() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  int port() const { return port_; }
  long plain_bytes() const { return plain_; }

 private:
  FileDescriptor listener_;
  int port_ = 0;
  std::atomic<long> plain_ = 0;
  std::thread thread_;
};

TEST_F(PostgresStoreTest, SpeaksToOtherMachinesThroughTlsAlone) {
  ServerWithoutTls other;
  const std::string string = "host=127.0.0.2 user=u password=p dbname=d port=" + std::to_string(other.port());
  std::ofstream(place_->file()) << string;
  EXPECT_FALSE(place_->open(options_));
  EXPECT_EQ(other.plain_bytes(), 0);
  std::ofstream(place_->file()) << string << " sslmode=disable";
  EXPECT_FALSE(place_->open(options_));
  EXPECT_GT(other.plain_bytes(), 0) << "only who says so";
}

}  // namespace
}  // namespace cloister::store
