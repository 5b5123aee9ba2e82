// The tail of a receipt store in SQLite: the latest receipts, which are in no index yet (store/sqlite/table_texts.h). One
// thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "db/sqlite/connection.h"
#include "store/receipt_store.h"
#include "store/sealed_record.h"

namespace cloister::store {

// Number of receipts that may be in no index yet: putting a receipt then writes to the end of one table, and the pages
// of the indexes are written once for this many. Every lookup also searches these.
inline constexpr std::int64_t kTail = 16;

// What the indexes would know of one receipt, without its text.
struct TailRow {
  std::int64_t seq = 0;
  std::string place;
  UnixSeconds served_at = 0;
  std::vector<Name> names;  // none for a damaged row
  std::int64_t bytes = 0;   // counted like limits.bytes
};

struct Tail {
  // Totals of the receipts before it.
  std::int64_t receipts = 0;
  std::int64_t bytes = 0;
  std::vector<TailRow> rows;  // in the order of arrival
};

class TailReader {
 public:
  // The connection outlives it.
  static Result<TailReader> make(const db::sqlite::Connection& connection);
  // Reads the tail at one moment of the file: at most `most` rows, whatever the file says of itself.
  Result<Tail> read(std::int64_t most);

 private:
  const db::sqlite::Connection* connection_ = nullptr;
  db::sqlite::Statement rows_;
};

}  // namespace cloister::store
