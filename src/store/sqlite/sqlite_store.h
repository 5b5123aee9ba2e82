// A ReceiptStore in one SQLite file (or in memory): a connection that writes, behind a mutex that is had in turn, and a few
// that read beside it, so that no lookup waits for a batch. Other processes may have the file open as well.
#pragma once

#include <memory>

#include "store/open_store.h"

namespace cloister::store {

// Of options.sqlite_file or options.memory. Errors as open_store().
Result<std::unique_ptr<ReceiptStore>> open_sqlite_store(const StoreOptions& options);

}  // namespace cloister::store
