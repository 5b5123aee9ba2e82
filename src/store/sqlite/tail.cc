#include "store/sqlite/tail.h"
#include "store/sqlite/wrapping_sum.h"

#include <utility>

namespace cloister::store {

Result<TailReader> TailReader::make(const db::sqlite::Connection& connection) {
  TailReader reader;
  reader.connection_ = &connection;
  TRY(rows, connection.prepare(
                "SELECT s.receipts, s.bytes, r.seq, r.place, r.served_at, r.names, r.size, length(h.sealed) "
                "FROM state s LEFT JOIN receipt r ON r.seq > s.indexed LEFT JOIN event_hashes h ON h.seq = r.seq "
                "WHERE s.one = 1 ORDER BY r.seq LIMIT ?1"));
  reader.rows_ = std::move(rows);
  return reader;
}

Result<Tail> TailReader::read(std::int64_t most) {
  const db::sqlite::StatementUse use(rows_);
  rows_.bind(1, most);
  Tail tail;
  for (bool first = true;; first = false) {
    TRY(row, rows_.step());
    if (!row && first) return connection_->damaged("its totals are missing");
    if (!row) return tail;
    tail.receipts = rows_.number(0);
    tail.bytes = rows_.number(1);
    if (rows_.is_null(2)) return tail;
    TailRow& out = tail.rows.emplace_back();
    out.seq = rows_.number(2);
    out.place = rows_.bytes(3);
    out.served_at = rows_.number(4);
    out.names = unpack_names(rows_.bytes(5));
    out.bytes = wrapping_sum(rows_.number(6), rows_.number(7));
  }
}

}  // namespace cloister::store
