// A ReceiptStore in a PostgreSQL database, for replicas that share it.
#pragma once

#include <memory>

#include "store/store_options.h"

namespace cloister::store {

// Opens the store of options.postgres_file. Errors as open_store().
Result<std::unique_ptr<ReceiptStore>> open_postgres_store(const StoreOptions& options);

}  // namespace cloister::store
