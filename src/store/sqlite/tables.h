// The tables of a receipt store in SQLite: made, brought from one version to the next, and held against what this
// program knows word for word, because whoever wrote the file decides nothing about them.
#pragma once

#include "store/sqlite/database.h"

namespace cloister::store {

// Receipts that may be in no index yet: putting one then writes to the end of one table, and the pages of the indexes
// are written once for so many. Whoever looks for a receipt looks through these, too.
inline constexpr std::int64_t kTail = 16;

// Reads only: a file that is not ours stays as it is (kStoreDamaged). The version; 0 for a file without anything.
Result<std::int64_t> check_identity(const Connection& connection);
// Makes what a file of that version lacks, in one transaction, and checks that nothing else is there.
Result<void> bring_up_to_date(const Connection& connection, std::int64_t version);

}  // namespace cloister::store
