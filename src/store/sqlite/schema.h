// The file of a receipt store in SQLite, and the connections to it. store/sqlite/tables.h has its tables.
#pragma once

#include <filesystem>
#include <memory>

#include "store/sqlite/database.h"
#include "store/store_options.h"

namespace cloister::store {

// The connection that writes to options.sqlite_file, whose tables exist and have this version. Errors as open_store().
Result<std::unique_ptr<Connection>> open_writer(const StoreOptions& options);
Result<std::unique_ptr<Connection>> open_memory(const StoreKeys& keys);
// Another connection to the file that open_writer() returned; it cannot write.
Result<std::unique_ptr<Connection>> open_reader(const Connection& writer);

}  // namespace cloister::store
