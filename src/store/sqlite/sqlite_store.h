// A ReceiptStore in one SQLite file (or in memory): one connection that writes, behind a mutex that is granted in turn, and
// a few that read at the same time, so that no lookup waits for a batch. Other processes may have the file open as well.
#pragma once

#include <memory>

#include "store/store_options.h"

namespace cloister::store {

// Opens the store of options.sqlite_file or options.memory. Errors as open_store().
Result<std::unique_ptr<ReceiptStore>> open_sqlite_store(const StoreOptions& options);

}  // namespace cloister::store
