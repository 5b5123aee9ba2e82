// The content of the file is sealed under keys of the TEE.
#include "store/sqlite/sqlite_store.h"

#include "crypto/hash.h"
#include "store/receipt_id.h"
#include "store/sqlite/sqlite_store_testing.h"

namespace cloister::store {
namespace {

using namespace testing;

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
  for (const std::string& mark :
       {one.receipt_id, one.receipt_id.substr(17), one.receipt.substr(0, 40), one.reply_ids[1], std::string(32, 'E'),
        std::string(16, '\xc5'), id_digest.substr(0, 8), std::string(as_text(one.legacy->request_sha256))}) {
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

// Where a TEE derives no keys, each start has other ones: what former processes stored stays until it is too old, and cannot be read.
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
  for (const char* change :
       {"UPDATE receipt SET sealed = (SELECT sealed FROM receipt WHERE seq = 3) WHERE seq = 2",
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

}  // namespace
}  // namespace cloister::store
