// The tables of a receipt store in SQLite: created, brought from one version to the next, and compared word for word
// with what this program knows, because whoever wrote the file decides nothing about them.
#pragma once

#include "store/sqlite/database.h"
#include "store/store_keys.h"

namespace cloister::store {

// Reads only: a file that is not ours stays unchanged (kStoreDamaged). Returns the version; 0 for an empty file.
Result<std::int64_t> check_identity(const Connection& connection);
// Creates what a file of that version lacks, in one transaction, and checks that nothing else is there and that `keys`
// are those of the file. kStoreFailed when they are not, or when an unencrypted file would be encrypted with keys that
// do not last: then nothing has changed.
Result<void> bring_up_to_date(const Connection& connection, std::int64_t version, const StoreKeys& keys);
// The same checks for a file that is only read, which change nothing: kStoreFailed for one that is empty or of an older version.
Result<void> check_existing(const Connection& connection, std::int64_t version, const StoreKeys& keys);

// Overwrites what a file of a version without encryption left in unused pages, and in the log. It costs nothing when
// there is none. False when another process prevented it: call it again.
Result<bool> wipe_plain_pages(const Connection& connection);

}  // namespace cloister::store
