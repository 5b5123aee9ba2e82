// The tables of a receipt store in PostgreSQL: those of SQLite (store/sqlite/table_texts.h) in another dialect, in the
// first schema of the connection's search_path.
#pragma once

#include "db/postgres/connection.h"
#include "store/store_keys.h"
#include "store/store_options.h"

namespace cloister::store {

// Creates the tables when they do not exist and `access` allows it, and encrypts what a former version kept unencrypted. Replicas
// that start together wait for each other. Errors about `keys` are those of open_writer() (store/sqlite/tables.h).
Result<void> prepare_tables(db::postgres::Connection& connection, Access access, const StoreKeys& keys);

// Rows of which the sum counts (cloister_totals): each connection adds to one of them, so that replicas do not wait for each other.
inline constexpr int kTotalsRows = 16;

}  // namespace cloister::store
