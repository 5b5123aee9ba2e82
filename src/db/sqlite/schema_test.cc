#include "db/sqlite/schema.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/temporary_folder_testing.h"
#include "db/sqlite/file.h"

namespace cloister::db::sqlite {
namespace {

constexpr const char* kOf1[] = {"CREATE TABLE entry(id INTEGER PRIMARY KEY, amount INTEGER NOT NULL) STRICT"};
constexpr const char* kOf2[] = {
    "CREATE TABLE entry(id INTEGER PRIMARY KEY, amount INTEGER NOT NULL) STRICT",
    "CREATE TABLE total(one INTEGER PRIMARY KEY CHECK(one = 1), amount INTEGER NOT NULL) STRICT"};
constexpr std::int64_t kLedger = 0x4c656467;

Schema version_1() {
  return {"a newer program", kLedger, {kOf1}, [](const Connection&, std::int64_t) { return Result<void>(); }};
}

Schema version_2() {
  return {
      "a newer program", kLedger, {kOf1, kOf2}, [](const Connection& connection, std::int64_t version) -> Result<void> {
        if (version == 1) TRY_VOID(connection.run(kOf2[1]));
        return connection.run("INSERT INTO total SELECT 1, coalesce(sum(amount), 0) FROM entry");
      }};
}

class SqliteSchema : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Connection>> open(const Schema& schema, Access access = Access::kCreate) {
    return open_file(file_, "ledger", Durability::kProcess, access, schema);
  }
  // The message of the error with which the file is not opened.
  std::string refusal(const Schema& schema, Access access = Access::kCreate) {
    const auto opened = open(schema, access);
    return opened ? "opened" : opened.error().message;
  }

  cloister::testing::TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "state" / "ledger.db";
};

TEST_F(SqliteSchema, ANewFileIsPrivateAndHasTheNewestTables) {
  const auto connection = open(version_2());
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->number("SELECT count(*) FROM total").value(), 1);
  EXPECT_EQ((*connection)->number("PRAGMA user_version").value(), 2);
  EXPECT_EQ((*connection)->number("PRAGMA application_id").value(), kLedger);
  struct stat facts {};
  ASSERT_EQ(::stat(file_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST_F(SqliteSchema, AnOlderFileIsBroughtToTheNewestVersion) {
  ASSERT_TRUE((*open(version_1()))->run("INSERT INTO entry VALUES(1, 30), (2, 12)"));
  const auto connection = open(version_2());
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->number("SELECT amount FROM total").value(), 42);
}

TEST_F(SqliteSchema, AStepThatFailsChangesNothing) {
  ASSERT_TRUE((*open(version_1()))->run("INSERT INTO entry VALUES(1, 30)"));
  Schema schema = version_2();
  schema.step = [](const Connection& connection, std::int64_t) -> Result<void> {
    TRY_VOID(connection.run("DELETE FROM entry"));
    return fail(ErrorCode::kStoreFailed, "the step fails");
  };
  EXPECT_EQ(refusal(schema), "the step fails");
  const auto again = open(version_1());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ((*again)->number("SELECT count(*) FROM entry").value(), 1);
}

TEST_F(SqliteSchema, AFileThatIsOnlyReadIsNotChanged) {
  EXPECT_NE(refusal(version_2(), Access::kExisting).find("cannot open the ledger"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file_));
  ASSERT_TRUE(open(version_1()));
  EXPECT_EQ(refusal(version_2(), Access::kExisting),
            file_.string() + " is a ledger of version 1, which a newer program brings up to date");
  ASSERT_TRUE(open(version_2()));
  const auto reading = open(version_2(), Access::kExisting);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_FALSE((*reading)->run("INSERT INTO entry VALUES(1, 1)"));
}

TEST_F(SqliteSchema, AnEmptyFileIsNoDatabaseToRead) {
  std::filesystem::create_directories(file_.parent_path());
  std::ofstream(file_).close();
  std::filesystem::permissions(file_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(refusal(version_2(), Access::kExisting), "there is no ledger in " + file_.string() + ": it is empty");
}

TEST_F(SqliteSchema, AnotherKindOfDatabaseIsRefused) {
  ASSERT_TRUE(open(version_2()));
  Schema other = version_2();
  other.application_id = kLedger + 1;
  EXPECT_EQ(refusal(other), file_.string() + " is a database, but no ledger");
}

TEST_F(SqliteSchema, AVersionOfTheFutureIsRefused) {
  ASSERT_TRUE((*open(version_2()))->run("PRAGMA user_version=3"));
  EXPECT_EQ(refusal(version_2()), file_.string() + " is of version 3; this program knows versions 1 to 2");
}

TEST_F(SqliteSchema, TablesThatSomebodyChangedAreRefused) {
  ASSERT_TRUE((*open(version_2()))->run("CREATE TABLE more(id INTEGER)"));
  EXPECT_EQ(refusal(version_2()), "the ledger " + file_.string() + " is damaged: its tables are not ours");
}

TEST_F(SqliteSchema, AnOlderFileWhoseTablesSomebodyChangedIsRefusedBeforeTheStep) {
  ASSERT_TRUE((*open(version_1()))->run("ALTER TABLE entry ADD COLUMN more INTEGER"));
  EXPECT_EQ(refusal(version_2()), "the ledger " + file_.string() + " is damaged: its tables are not ours");
}

TEST_F(SqliteSchema, AFileThatOthersCanWriteIsRefused) {
  ASSERT_TRUE(open(version_2()));
  std::filesystem::permissions(file_, std::filesystem::perms::group_write, std::filesystem::perm_options::add);
  EXPECT_EQ(refusal(version_2()), file_.string() + " can be written by other users; chmod 600 ends that");
}

TEST_F(SqliteSchema, ASymbolicLinkIsRefused) {
  ASSERT_TRUE(open(version_2()));
  const std::filesystem::path moved = file_.parent_path() / "moved.db";
  std::filesystem::rename(file_, moved);
  std::filesystem::create_symlink(moved, file_);
  EXPECT_EQ(refusal(version_2()), file_.string() + " is a symbolic link");
}

TEST_F(SqliteSchema, AReaderSeesWhatTheWriterCommittedAndCannotWrite) {
  const auto writer = open(version_2());
  ASSERT_TRUE(writer);
  const auto reader = open_reader(**writer);
  ASSERT_TRUE(reader) << reader.error().message;
  {
    const auto transaction = Transaction::begin(**writer);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE((*writer)->run("INSERT INTO entry VALUES(1, 5)"));
    EXPECT_EQ((*reader)->number("SELECT count(*) FROM entry").value(), 0);
  }
  EXPECT_EQ((*writer)->number("SELECT count(*) FROM entry").value(), 0)
      << "a transaction that is not committed is undone";
  ASSERT_TRUE((*writer)->run("INSERT INTO entry VALUES(1, 5)"));
  EXPECT_EQ((*reader)->number("SELECT count(*) FROM entry").value(), 1);
  EXPECT_FALSE((*reader)->run("DELETE FROM entry"));
}

TEST(SqliteMemory, ADatabaseInMemoryHasTheNewestTables) {
  const auto connection = open_memory("the ledger in memory", "ledger", version_2());
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ((*connection)->number("SELECT count(*) FROM total").value(), 1);
}

}  // namespace
}  // namespace cloister::db::sqlite
