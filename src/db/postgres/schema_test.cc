#include "db/postgres/schema.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "db/postgres/pool.h"
#include "db/postgres/server_testing.h"

namespace cloister::db::postgres {
namespace {

std::unique_ptr<Connection> connect(const testing::TestSchema& place) {
  return Connection::open(place.file(), Durability::kProcess).value();
}

Schema ledger(std::int64_t newest, std::atomic<int>* steps = nullptr) {
  return {"ledger",
          "a newer program",
          "ledger_version",
          77,
          newest,
          [newest, steps](Connection& connection, std::int64_t version) -> Result<void> {
            if (steps != nullptr) ++*steps;
            if (version == 0) {
              TRY_VOID(connection.run("CREATE TABLE ledger_version(version int8 NOT NULL)"));
              TRY_VOID(connection.run("INSERT INTO ledger_version VALUES (0)"));
              TRY_VOID(connection.run("CREATE TABLE ledger_entry(amount int8 NOT NULL)"));
            }
            if (newest < 2) return {};
            TRY_VOID(connection.run("ALTER TABLE ledger_entry ADD COLUMN reason bytea"));
            return {};
          }};
}

std::string refusal(const testing::TestSchema& place, const Schema& schema, Access access) {
  const auto prepared = prepare_tables(*connect(place), schema, access);
  return prepared ? "prepared" : prepared.error().message;
}

TEST(PostgresSchema, TablesAreCreatedAndBroughtToTheNewestVersion) {
  CLOISTER_NEED_POSTGRES();
  const testing::TestSchema place;
  const auto connection = connect(place);
  ASSERT_TRUE(prepare_tables(*connection, ledger(1), Access::kCreate));
  ASSERT_TRUE(connection->run("INSERT INTO ledger_entry VALUES ($1)", Params().add(std::int64_t{42})));
  ASSERT_TRUE(prepare_tables(*connection, ledger(2), Access::kCreate));
  const auto rows = connection->run("SELECT e.amount, e.reason, v.version FROM ledger_entry e, ledger_version v");
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->count(), 1);
  EXPECT_EQ(rows->number(0, 0), 42);
  EXPECT_TRUE(rows->is_null(0, 1));
  EXPECT_EQ(rows->number(0, 2), 2);
}

TEST(PostgresSchema, NothingChangesForAReader) {
  CLOISTER_NEED_POSTGRES();
  const testing::TestSchema place;
  EXPECT_EQ(refusal(place, ledger(1), Access::kExisting), "there is no ledger in this database");
  EXPECT_EQ(refusal(place, ledger(1), Access::kCreate), "prepared");
  EXPECT_EQ(refusal(place, ledger(2), Access::kExisting),
            "the ledger in this database is of version 1, which a newer program brings up to date");
  EXPECT_EQ(refusal(place, ledger(1), Access::kExisting), "prepared");
}

TEST(PostgresSchema, AVersionOfTheFutureIsRefused) {
  CLOISTER_NEED_POSTGRES();
  const testing::TestSchema place;
  ASSERT_EQ(refusal(place, ledger(2), Access::kCreate), "prepared");
  EXPECT_EQ(refusal(place, ledger(1), Access::kCreate),
            "the ledger in PostgreSQL is of version 2; this program knows versions 1 to 1");
}

TEST(PostgresSchema, AStepThatFailsChangesNothing) {
  CLOISTER_NEED_POSTGRES();
  const testing::TestSchema place;
  Schema schema = ledger(1);
  schema.step = [good = schema.step](Connection& connection, std::int64_t version) -> Result<void> {
    TRY_VOID(good(connection, version));
    return fail(ErrorCode::kStoreFailed, "the step fails");
  };
  EXPECT_EQ(refusal(place, schema, Access::kCreate), "the step fails");
  EXPECT_EQ(refusal(place, ledger(1), Access::kExisting), "there is no ledger in this database");
}

TEST(PostgresSchema, ReplicasThatStartTogetherTakeOneStep) {
  CLOISTER_NEED_POSTGRES();
  const testing::TestSchema place;
  std::atomic<int> steps = 0, prepared = 0;
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i)
    replicas.emplace_back(
        [&] { prepared += prepare_tables(*connect(place), ledger(2, &steps), Access::kCreate).has_value(); });
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(prepared, 4);
  EXPECT_EQ(steps, 1);
}

TEST(PostgresValues, ValuesComeBackAsTheyWereGiven) {
  CLOISTER_NEED_POSTGRES();
  const testing::TestSchema place;
  const std::string_view bytes("a\0b", 3);
  const std::vector<std::int64_t> numbers = {INT64_MIN, 0, INT64_MAX};
  const std::vector<std::optional<std::string_view>> texts = {"x", std::nullopt, ""};
  const auto rows = connect(place)->run(
      "SELECT $1, $2, $3, ($4)[3], ($5)[1], ($5)[2], ($5)[3], $6::int4",
      Params().add(std::int64_t{-7}).add(bytes).add(std::string_view()).add(numbers).add(texts).add(std::int64_t{-9}));
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->number(0, 0), -7);
  EXPECT_EQ(rows->bytes(0, 1), bytes);
  EXPECT_FALSE(rows->is_null(0, 2)) << "an empty value is not NULL";
  EXPECT_EQ(rows->number(0, 3), INT64_MAX);
  EXPECT_EQ(rows->bytes(0, 4), "x");
  EXPECT_TRUE(rows->is_null(0, 5));
  EXPECT_FALSE(rows->is_null(0, 6));
  EXPECT_EQ(rows->number(0, 7), -9);
}

TEST(PostgresPool, WorkIsDoneAgainAfterTheServerCrashed) {
  CLOISTER_NEED_POSTGRES();
  const testing::TestSchema place;
  Pool pool(place.file(), Durability::kProcess);
  const auto one = [](Connection& connection) { return connection.run("SELECT 1::int8"); };
  ASSERT_TRUE(pool.with(1000, one));
  testing::Server::instance().crash();
  testing::Server::instance().start();
  int runs = 0;
  const auto answer = pool.with(5000, [&](Connection& connection) {
    ++runs;
    return connection.run("SELECT 2::int8");
  });
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->number(0, 0), 2);
  EXPECT_EQ(runs, 2);
}

TEST(PostgresPool, AStatementThatIsWrongIsNotRepeated) {
  CLOISTER_NEED_POSTGRES();
  const testing::TestSchema place;
  Pool pool(place.file(), Durability::kProcess);
  int runs = 0;
  const auto answer = pool.with(5000, [&](Connection& connection) {
    ++runs;
    return connection.run("SELECT absent");
  });
  EXPECT_FALSE(answer);
  EXPECT_EQ(runs, 1);
}

TEST(PostgresConnection, NoMessageHoldsTheConnectionString) {
  CLOISTER_NEED_POSTGRES();
  const testing::TestSchema place;
  std::ofstream(place.file()) << "host=/absent user=u password=the-secret-word\n";
  const auto lost = Connection::open(place.file(), Durability::kProcess);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kStoreFailed);
  EXPECT_EQ(lost.error().message.find("the-secret-word"), std::string::npos) << lost.error().message;
  std::ofstream(place.file()) << "password the-secret-word\n";
  const auto invalid = Connection::open(place.file(), Durability::kProcess);
  ASSERT_FALSE(invalid);
  EXPECT_EQ(invalid.error().code, ErrorCode::kUsage);
  EXPECT_EQ(invalid.error().message.find("the-secret-word"), std::string::npos) << invalid.error().message;
}

}  // namespace
}  // namespace cloister::db::postgres
