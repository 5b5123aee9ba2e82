// The tables of a receipt store in SQLite: made, brought from one version to the next, and held against what this
// program knows word for word, because whoever wrote the file decides nothing about them.
#pragma once

#include "store/sqlite/database.h"
#include "store/store_keys.h"

namespace cloister::store {

// Receipts that may be in no index yet: putting one then writes to the end of one table, and the pages of the indexes
// are written once for so many. Whoever looks for a receipt looks through these, too.
inline constexpr std::int64_t kTail = 16;

// Reads only: a file that is not ours stays as it is (kStoreDamaged). The version; 0 for a file without anything.
Result<std::int64_t> check_identity(const Connection& connection);
// Makes what a file of that version lacks, in one transaction, and checks that nothing else is there and that `keys` are those
// of the file. kStoreFailed when they are not, or when a file without encryption would be encrypted with keys that do not
// last: then nothing has changed.
Result<void> bring_up_to_date(const Connection& connection, std::int64_t version, const StoreKeys& keys);
// The same checks of a file that is only read, which changes nothing: kStoreFailed for one that is empty or of an older version.
Result<void> check_existing(const Connection& connection, std::int64_t version, const StoreKeys& keys);

// Overwrites what a file of a version without encryption left in pages that are not in use, and in the log. Costs nothing when
// there is nothing of it. False when another process kept it from that: to be called again.
Result<bool> wipe_plain_pages(const Connection& connection);

}  // namespace cloister::store
