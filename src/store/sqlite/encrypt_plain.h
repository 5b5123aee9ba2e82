// Takes over the receipts of a file of version 1 or 2, which kept them unencrypted.
#pragma once

#include "db/sqlite/connection.h"
#include "store/store_keys.h"

namespace cloister::store {

// Runs within a transaction, with secure_delete on, in a file whose tables are those of that version. Afterwards they are
// those of this version, with every receipt encrypted; freed pages are overwritten with zeros when the transaction reaches
// the file. It takes about three times the space of the file while it runs. kStoreDamaged for a row that no version wrote.
Result<void> encrypt_plain_tables(const db::sqlite::Connection& connection, std::int64_t version,
                                  const StoreKeys& keys);

}  // namespace cloister::store
