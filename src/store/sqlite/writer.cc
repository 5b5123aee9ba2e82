#include "store/sqlite/writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "store/receipt_id.h"
#include "store/record.h"
#include "store/sealed_record.h"
#include "store/sqlite/wrapping_sum.h"

namespace cloister::store {

Result<std::unique_ptr<Writer>> Writer::make(const db::sqlite::Connection& connection, Reader& reader,
                                             const StoreKeys& keys) {
  std::unique_ptr<Writer> writer(new Writer(connection, reader, keys));
  Writer& w = *writer;
  const std::string most = " LIMIT " + std::to_string(kStep);
  const std::string hashes = "SELECT seq, length(sealed) FROM event_hashes ";
  const std::string receipts = "SELECT r.seq, r.size, r.names, r.place, r.served_at FROM ";
  const std::pair<db::sqlite::Statement*, std::string> statements[] = {
      {&w.add_receipt_,
       "INSERT INTO receipt(seq, place, served_at, size, names, sealed) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"},
      {&w.add_hashes_, "INSERT INTO event_hashes(seq, served_at, sealed) VALUES(?1, ?2, ?3)"},
      {&w.add_place_, "INSERT OR IGNORE INTO place(place, seq) VALUES(?1, ?2)"},
      {&w.add_moment_, "INSERT OR IGNORE INTO moment(served_at, place, seq) VALUES(?1, ?2, ?3)"},
      {&w.add_name_, "INSERT OR IGNORE INTO name(id, owner, seq) VALUES(?1, ?2, ?3)"},
      {&w.place_, "SELECT seq FROM place WHERE place = ?1"},
      {&w.last_seq_, "SELECT max(seq) FROM receipt"},
      {&w.greatest_place_, "SELECT max(place) FROM place"},
      {&w.totals_, "SELECT indexed, receipts, bytes, aged_to FROM state"},
      {&w.save_, "UPDATE state SET indexed = ?1, receipts = ?2, bytes = ?3, aged_to = ?4"},
      {&w.put_document_, "INSERT OR REPLACE INTO document(key, kind, made, text) VALUES(?1, ?2, ?3, ?4)"},
      {&w.newest_served_, "SELECT served_at FROM moment ORDER BY served_at DESC LIMIT 1"},
      {&w.old_hashes_, hashes + "WHERE served_at < ?1 ORDER BY served_at" + most},
      {&w.first_hashes_, hashes + "ORDER BY seq" + most},
      {&w.old_receipts_,
       receipts + "moment m CROSS JOIN receipt r ON r.seq = m.seq WHERE m.served_at < ?1 ORDER BY m.served_at" + most},
      {&w.first_receipts_,
       receipts + "state s CROSS JOIN receipt r ON r.seq <= s.indexed WHERE s.one = 1 ORDER BY r.seq" + most},
      {&w.old_documents_, "DELETE FROM document WHERE rowid IN (SELECT rowid FROM document WHERE made < ?1 LIMIT 16)"},
      {&w.drop_hashes_, "DELETE FROM event_hashes WHERE seq = ?1"},
      {&w.drop_receipt_, "DELETE FROM receipt WHERE seq = ?1"},
      {&w.drop_place_, "DELETE FROM place WHERE place = ?1"},
      {&w.drop_moment_, "DELETE FROM moment WHERE served_at = ?1 AND place = ?2"},
      {&w.drop_name_, "DELETE FROM name WHERE id = ?1 AND owner = ?2 AND seq = ?3"},
      {&w.hashes_size_, "SELECT length(sealed) FROM event_hashes WHERE seq = ?1"},
  };
  for (const auto& [statement, sql] : statements) {
    TRY(prepared, connection.prepare(sql));
    *statement = std::move(prepared);
  }
  TRY(tail, TailReader::make(connection));
  w.tail_ = std::move(tail);
  return writer;
}

// --- putting ----------------------------------------------------------------------------------------------------------

// Returns what the file holds, which is read only when another connection has changed the file.
Result<Writer::Known> Writer::know() {
  constexpr std::int64_t kMostSeq = INT64_MAX / 2;
  // Removed here: it is valid again when the new receipts are stored.
  std::optional<Known> before = std::exchange(known_, std::nullopt);
  if (before && before->data_version == connection_.data_version()) return std::move(*before);
  Known known;
  TRY(totals, this->totals());
  known.totals = totals;
  const db::sqlite::StatementUse use_seq(last_seq_);
  TRY(any_seq, last_seq_.step());
  known.last = std::max(any_seq ? last_seq_.number(0) : 0, totals.indexed);
  if (totals.indexed < 0 || known.last > kMostSeq) return connection_.damaged("its numbers are not ours");
  const db::sqlite::StatementUse use_place(greatest_place_);
  TRY(any_place, greatest_place_.step());
  if (any_place) known.greatest_place = greatest_place_.bytes(0);
  TRY(tail, tail_.read(kTail));
  for (TailRow& row : tail.rows) known.remember(std::move(row.place), row.seq);
  return known;
}

void Writer::Known::remember(std::string place, std::int64_t seq) {
  if (place > greatest_place) greatest_place = place;
  places.emplace(std::move(place), seq);
}

// Returns false when no receipt has this id; kStoreConflict when another one has it.
Result<bool> Writer::is_there(const ReceiptRecord& record, std::string_view place, const Known& known) {
  // The usual case: places of this program's ids begin with the time.
  if (place > known.greatest_place) return false;
  const auto in_tail = known.places.find(std::string(place));
  std::int64_t seq = 0;
  if (in_tail != known.places.end()) {
    seq = in_tail->second;
  } else {
    const db::sqlite::StatementUse use(place_);
    TRY(row, place_.bind(1, place).step());
    if (!row) return false;
    seq = place_.number(0);
  }
  TRY(stored, reader_.by_seq(seq, {INT64_MIN, INT64_MIN}));
  if (stored && same_content(*stored, record)) return true;
  return fail(ErrorCode::kStoreConflict,
              "a receipt of the id " + shown_id(record.receipt_id) + " is stored with another content");
}

Result<void> Writer::add(const ReceiptRecord& record, Known& known) {
  const SealedRecord sealed = seal_record(record, keys_);
  const std::string_view place = as_text(sealed.place);
  TRY(there, is_there(record, place, known));
  if (there) return {};
  const std::int64_t seq = ++known.last;
  const std::string names = pack_names(sealed.names);
  add_receipt_.bind(1, seq)
      .bind(2, place)
      .bind(3, sealed.served_at)
      .bind(4, sealed.size)
      .bind(5, names)
      .bind(6, sealed.text);
  TRY_VOID(add_receipt_.run());
  if (!sealed.event_hashes.empty()) {
    TRY_VOID(add_hashes_.bind(1, seq).bind(2, sealed.served_at).bind(3, sealed.event_hashes).run());
  }
  known.remember(std::string(place), seq);
  return {};
}

Result<void> Writer::check_in_place() const {
  if (!connection_.has_moved()) return {};
  return fail(ErrorCode::kStoreFailed, connection_.name() + ": the file was moved or deleted while it is in use");
}

Result<void> Writer::put(std::span<const ReceiptRecord> batch) {
  TRY_VOID(check_in_place());
  TRY(transaction, db::sqlite::Transaction::begin(connection_));
  TRY_VOID(put_within(batch));
  std::optional<Known> known = std::exchange(known_, std::nullopt);
  TRY_VOID(transaction.commit());
  known->data_version = connection_.data_version();
  known_ = std::move(known);
  return {};
}

Result<void> Writer::put_within(std::span<const ReceiptRecord> batch) {
  TRY(known, know());
  for (const ReceiptRecord& record : batch) TRY_VOID(add(record, known));
  if (known.last - known.totals.indexed >= kTail) {
    TRY_VOID(index_tail(known.totals, kTail + static_cast<std::int64_t>(batch.size())));
    TRY_VOID(save(known.totals));
    if (known.totals.indexed == known.last) known.places.clear();
  }
  known.data_version = connection_.data_version();
  known_ = std::move(known);
  return {};
}

// The indexes' pages are written in their own order, so that neighbours share them.
Result<void> Writer::index_tail(Totals& totals, std::int64_t most) {
  TRY(tail, tail_.read(most));
  std::vector<NameOf> names;
  for (const TailRow& row : tail.rows) {
    TRY_VOID(add_place_.bind(1, row.place).bind(2, row.seq).run());
    TRY_VOID(add_moment_.bind(1, row.served_at).bind(2, row.place).bind(3, row.seq).run());
    for (const Name& name : row.names) names.emplace_back(name, row.seq);
    totals.indexed = row.seq;
    totals.receipts = wrapping_sum(totals.receipts, 1);
    totals.bytes = wrapping_sum(totals.bytes, row.bytes);
  }
  std::sort(names.begin(), names.end());
  for (const auto& [name, seq] : names) TRY_VOID(add_name_.bind(1, name.id).bind(2, name.owner).bind(3, seq).run());
  return {};
}

Result<void> Writer::index_all() {
  TRY(seen, tail_.read(1));
  if (seen.rows.empty()) return {};
  TRY(transaction, db::sqlite::Transaction::begin(connection_));
  TRY(totals, this->totals());
  TRY_VOID(index_tail(totals, kTail));
  TRY_VOID(save(totals));
  return transaction.commit();
}

Result<void> Writer::put_document(const Document& document) {
  TRY_VOID(check_in_place());
  return put_document_.bind(1, document.key).bind(2, document.kind).bind(3, document.made).bind(4, document.text).run();
}

// --- totals -----------------------------------------------------------------------------------------------------------

Result<Totals> Writer::totals() {
  const db::sqlite::StatementUse use(totals_);
  TRY(row, totals_.step());
  if (!row) return connection_.damaged("its totals are missing");
  return Totals{totals_.number(0), totals_.number(1), totals_.number(2), totals_.number(3)};
}

Result<void> Writer::save(const Totals& totals) {
  known_.reset();
  return save_.bind(1, totals.indexed).bind(2, totals.receipts).bind(3, totals.bytes).bind(4, totals.aged_to).run();
}

Result<void> Writer::set_aged_to(UnixSeconds aged_to) {
  TRY(transaction, db::sqlite::Transaction::begin(connection_));
  TRY(totals, this->totals());
  totals.aged_to = aged_to;
  TRY_VOID(save(totals));
  return transaction.commit();
}

Result<UnixSeconds> Writer::newest_served() {
  const db::sqlite::StatementUse use(newest_served_);
  TRY(row, newest_served_.step());
  return row ? newest_served_.number(0) : 0;
}

}  // namespace cloister::store
