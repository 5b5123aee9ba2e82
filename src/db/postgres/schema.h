// The tables of one kind of data in a PostgreSQL database: created, and brought from one version to the next, in the first schema of the
// connection's search_path. Replicas that start together wait for each other.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "db/options.h"
#include "db/postgres/connection.h"

namespace cloister::db::postgres {

struct Schema {
  std::string what;           // "receipt store", for messages
  std::string brought_by;     // the commands that bring older tables up to date, for messages
  std::string version_table;  // it has one row, whose column `version` is the version; the step for 0 creates both
  std::int64_t lock = 0;      // the advisory lock under which tables change; no other kind of data has the same
  std::int64_t newest = 1;
  // Called with the version of the tables, within the transaction that brings them to the newest version; 0 where there are none.
  std::function<Result<void>(Connection&, std::int64_t version)> step;
};

// With kCreate, brings the tables to the newest version: after an error nothing has changed. With kExisting, changes nothing: kStoreFailed
// where there are no tables, or older ones. kStoreDamaged for a version that this program does not know.
Result<void> prepare_tables(Connection& connection, const Schema& schema, Access access);

}  // namespace cloister::db::postgres
