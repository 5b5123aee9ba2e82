// Where the file is, who owns it, and what it already contains.
#include "store/sqlite/sqlite_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite/sqlite_store_testing.h"

namespace cloister::store {
namespace {

using namespace testing;

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

TEST_F(SqliteStoreTest, IsNotMadeOutOfAnEmptyFile) {
  write("");
  options_.access = Access::kExisting;
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kStoreFailed);
  EXPECT_NE(error.message.find("there is no receipt store in " + file().string()), std::string::npos) << error.message;
  EXPECT_EQ(fs::file_size(file()), 0u);
}

TEST_F(SqliteStoreTest, ThatIsReadTakesNothing) {
  ASSERT_TRUE(open()->put(records(0, 3)));
  options_.access = Access::kExisting;
  const auto store = open();
  EXPECT_EQ(store->state()->receipts, 3u);
  EXPECT_FALSE(store->put(records(10, 1)));
  EXPECT_EQ(store->state()->receipts, 3u);
}

TEST_F(SqliteStoreTest, TakesNothingThatNobodyWouldFindAgain) {
  const auto store = open();
  ASSERT_TRUE(store->put(records(0, 1)));
  const fs::path away = file().parent_path() / "away.db";
  fs::rename(file(), away);
  const auto moved = store->put(records(1, 1));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, ErrorCode::kStoreFailed);
  EXPECT_NE(moved.error().message.find("moved or deleted"), std::string::npos);
  fs::rename(away, file());
  EXPECT_TRUE(store->put(records(1, 1)));
  EXPECT_EQ(store->state()->receipts, 2u);
  fs::remove(file());
  EXPECT_FALSE(store->put(records(2, 1)));
}

TEST_F(SqliteStoreTest, FollowsNoLink) {
  open().reset();
  const fs::path real = file().parent_path() / "real.db";
  fs::rename(file(), real);
  fs::create_symlink(real, file());
  EXPECT_NE(refusal().message.find("symbolic link"), std::string::npos);
  // A folder on the way may be a link.
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
  EXPECT_NE(refusal().message.find("no regular file"), std::string::npos)
      << "and does not wait for anybody to write to it";
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
              if (existing || existing.error().code != ErrorCode::kStoreFailed ||
                  existing.error().message.find(file().parent_path().string()) == std::string::npos)
                return 2;
              StoreOptions fresh;
              fresh.sqlite_file = file().parent_path() / "new.db";
              fresh.keys = testing::keys();
              const auto made = open_store(fresh);
              if (made || made.error().code != ErrorCode::kStoreFailed) return 3;
              return 0;
            }),
            0);
}

// --- what the file holds ----------------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, RefusesWhatIsNoDatabaseAndLeavesIt) {
  for (const std::string& content : {std::string("not a database, but quite a text"), std::string(5000, '\0'),
                                     std::string("SQLite format 3\0", 16) + std::string(4080, '\xff')}) {
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

}  // namespace
}  // namespace cloister::store
