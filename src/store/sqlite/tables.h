// The database of a receipt store in SQLite: opened, brought up to date (db/sqlite/schema.h), and held against the keys of the node.
// store/sqlite/table_texts.h has the tables.
#pragma once

#include <memory>

#include "db/sqlite/connection.h"
#include "store/store_options.h"

namespace cloister::store {

// The connection that writes to options.sqlite_file, whose tables exist and have this version. Errors as open_store(). kStoreFailed also when
// `options.keys` are not those of the file, or when an unencrypted file would be encrypted with keys that do not last: then nothing has changed.
Result<std::unique_ptr<db::sqlite::Connection>> open_writer(const StoreOptions& options);
Result<std::unique_ptr<db::sqlite::Connection>> open_memory(const StoreKeys& keys);

// Overwrites what a file of a version without encryption left in unused pages, and in the log. It costs nothing when
// there is none. False when another process prevented it: call it again.
Result<bool> wipe_plain_pages(const db::sqlite::Connection& connection);

}  // namespace cloister::store
