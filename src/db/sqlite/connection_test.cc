#include "db/sqlite/connection.h"
#include "base/result_testing.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace cloister::db::sqlite {
namespace {

std::unique_ptr<Connection> in_memory() {
  return Connection::open(":memory:", "a test", "database", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, 0).value();
}

TEST(SqliteConnection, ValuesComeBackAsTheyWereBound) {
  const auto connection = in_memory();
  ASSERT_TRUE(connection->run("CREATE TABLE t(n INTEGER, b BLOB, empty BLOB, absent BLOB)"));
  auto insert = connection->prepare("INSERT INTO t VALUES(?1, ?2, ?3, ?4)").value();
  const std::string_view bytes("a\0b", 3);
  ASSERT_TRUE(insert.bind(1, INT64_MIN).bind(2, bytes).bind(3, std::string_view()).bind_null(4).run());
  EXPECT_EQ(connection->changes(), 1);
  auto select = connection->prepare("SELECT n, b, empty, absent FROM t").value();
  ASSERT_TRUE(select.step().value());
  EXPECT_EQ(select.number(0), INT64_MIN);
  EXPECT_EQ(select.bytes(1), bytes);
  EXPECT_TRUE(select.bytes(2).empty());
  EXPECT_FALSE(select.is_null(2)) << "an empty value is not NULL";
  EXPECT_TRUE(select.is_null(3));
  EXPECT_FALSE(select.step().value());
}

TEST(SqliteConnection, AnErrorNamesTheDatabase) {
  const auto connection = in_memory();
  const auto run = connection->run("SELECT * FROM absent");
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kStoreFailed);
  EXPECT_EQ(run.error().message, "cannot use a test: no such table: absent");
  EXPECT_EQ(connection->damaged("a page is torn").code, ErrorCode::kStoreDamaged);
  EXPECT_EQ(connection->damaged("a page is torn").message, "the database a test is damaged: a page is torn");
}

// A hostile file cannot make the program run what the file brings along.
TEST(SqliteConnection, TriggersAndAttachedDatabasesDoNotRun) {
  const auto connection = in_memory();
  ASSERT_TRUE(connection->run("CREATE TABLE t(n INTEGER); CREATE TABLE seen(n INTEGER)"));
  ASSERT_TRUE(connection->run("CREATE TRIGGER spy AFTER INSERT ON t BEGIN INSERT INTO seen VALUES(new.n); END"));
  ASSERT_TRUE(connection->run("INSERT INTO t VALUES(1)"));
  EXPECT_EQ(connection->number("SELECT count(*) FROM seen").value(), 0);
  EXPECT_REFUSED(connection->run("ATTACH ':memory:' AS other"),
                 "cannot use a test: too many attached databases - max 0");
}

TEST(SqliteConnection, AValueOfMoreThan32MiBIsRefused) {
  const auto connection = in_memory();
  EXPECT_REFUSED(connection->text("SELECT zeroblob(33554433)"), "cannot use a test: string or blob too big");
  EXPECT_TRUE(connection->text("SELECT zeroblob(33554432)"));
}

}  // namespace
}  // namespace cloister::db::sqlite
