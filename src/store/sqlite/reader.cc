#include "store/sqlite/reader.h"

#include <algorithm>
#include <functional>

#include "store/receipt_id.h"
#include "store/sealed_record.h"
#include "store/sqlite/wrapping_sum.h"

namespace cloister::store {
namespace {

#define ROW_OF_RECEIPT "SELECT r.place, r.served_at, r.sealed, h.served_at, h.sealed"
// A long value is not read from the file unless it is wanted.
#define ROW_WITH_HASHES_SINCE(TIME) \
  "SELECT r.place, r.served_at, r.sealed, h.served_at, CASE WHEN h.served_at >= " TIME " THEN h.sealed END"
#define ITS_HASHES "LEFT JOIN event_hashes h ON h.seq = r.seq "

// For one reply id this many receipts are checked, the newest first: an upstream may give the same id repeatedly.
#define MOST_NAMES "16"

constexpr std::size_t kPageBytes = 64u << 20;

}  // namespace

Result<std::unique_ptr<Reader>> Reader::make(const db::sqlite::Connection& connection, const StoreKeys& keys) {
  std::unique_ptr<Reader> reader(new Reader(connection, keys));
  const std::pair<db::sqlite::Statement*, std::string_view> statements[] = {
      {&reader->place_, "SELECT seq FROM place WHERE place = ?1"},
      {&reader->by_seq_, ROW_WITH_HASHES_SINCE("?2") " FROM receipt r " ITS_HASHES "WHERE r.seq = ?1"},
      {&reader->names_of_owner_,
       "SELECT seq FROM name WHERE id = ?1 AND owner = ?2 ORDER BY seq DESC LIMIT " MOST_NAMES},
      {&reader->names_, "SELECT seq FROM name WHERE id = ?1 LIMIT " MOST_NAMES},
      {&reader->page_,
       ROW_OF_RECEIPT ", m.served_at, m.place FROM moment m CROSS JOIN receipt r ON r.seq = m.seq " ITS_HASHES
                      "WHERE (m.served_at, m.place) > (?1, ?2) AND m.served_at >= ?3 ORDER BY m.served_at, m.place"},
      {&reader->documents_,
       "SELECT kind, key, made, text FROM document WHERE key = ?1 AND (?2 = x'' OR kind = ?2) ORDER BY kind"},
      {&reader->oldest_, "SELECT served_at FROM moment ORDER BY served_at LIMIT 1"},
  };
  for (const auto& [statement, sql] : statements) {
    TRY(prepared, connection.prepare(sql));
    *statement = std::move(prepared);
  }
  TRY(tail, TailReader::make(connection));
  reader->tail_ = std::move(tail);
  return reader;
}

Result<std::optional<ReceiptRecord>> Reader::read_row(const db::sqlite::Statement& row, const Horizon& horizon) const {
  const std::string_view place = row.bytes(0);
  Result<std::optional<ReceiptRecord>> record = open_record(keys_, place, row.number(1), row.bytes(2));
  if (!record) return connection_.damaged(record.error().message);
  if (!*record || row.is_null(4) || row.number(3) < horizon.event_hashes) return record;
  Result<std::string> hashes = open_event_hashes(keys_, place, row.number(1), row.bytes(4));
  if (!hashes) return connection_.damaged(hashes.error().message);
  (*record)->event_hashes = *std::move(hashes);
  return record;
}

Result<std::optional<ReceiptRecord>> Reader::by_seq(std::int64_t seq, const Horizon& horizon) {
  const db::sqlite::StatementUse use(by_seq_);
  TRY(row, by_seq_.bind(1, seq).bind(2, horizon.event_hashes).step());
  if (!row || by_seq_.number(1) < horizon.receipts) return std::optional<ReceiptRecord>();
  return read_row(by_seq_, horizon);
}

Result<std::optional<ReceiptRecord>> Reader::by_id(const Tail& tail, std::string_view receipt_id,
                                                   const Horizon& horizon) {
  const Place wanted = keys_.place(receipt_id);
  const std::string_view place = as_text(wanted);
  const auto last = std::ranges::find(tail.rows, place, &TailRow::place);
  std::int64_t seq = 0;
  if (last != tail.rows.end()) {
    seq = last->seq;
  } else {
    const db::sqlite::StatementUse use(place_);
    TRY(row, place_.bind(1, place).step());
    if (!row) return std::optional<ReceiptRecord>();
    seq = place_.number(0);
  }
  TRY(record, by_seq(seq, horizon));
  // An index entry that leads to another receipt leads nowhere.
  return record && record->receipt_id == receipt_id ? std::move(record) : std::nullopt;
}

// Where receipts with this id may be, the latest first.
Result<std::vector<std::int64_t>> Reader::candidates(const Tail& tail, std::string_view id, const Owner* owner) {
  const Name wanted = keys_.name(id, owner != nullptr ? *owner : Owner{});
  std::vector<std::int64_t> out;
  for (const TailRow& row : tail.rows) {
    if (std::ranges::count(row.names, wanted.id, &Name::id) > 0) out.push_back(row.seq);
  }
  if (const auto receipt_id = receipt_id_in(id)) {
    const Place place = keys_.place(*receipt_id);
    const auto last = std::ranges::find(tail.rows, as_text(place), &TailRow::place);
    if (last != tail.rows.end()) out.push_back(last->seq);
    const db::sqlite::StatementUse use(place_);
    TRY(row, place_.bind(1, as_text(place)).step());
    if (row) out.push_back(place_.number(0));
  }
  db::sqlite::Statement& names = owner != nullptr ? names_of_owner_ : names_;
  const db::sqlite::StatementUse use(names);
  names.bind(1, wanted.id);
  if (owner != nullptr) names.bind(2, wanted.owner);
  while (true) {
    TRY(row, names.step());
    if (!row) break;
    out.push_back(names.number(0));
  }
  std::ranges::sort(out, std::greater());
  return out;
}

// The newest receipt with this id, and this owner's where one is asked for.
Result<std::optional<ReceiptRecord>> Reader::newest(const Tail& tail, std::string_view id, const Owner* owner,
                                                    const Horizon& horizon) {
  TRY(candidates, this->candidates(tail, id, owner));
  std::optional<ReceiptRecord> best;
  for (const std::int64_t seq : candidates) {
    TRY(record, by_seq(seq, horizon));
    if (!record || (owner != nullptr && record->owner != *owner)) continue;
    if (std::ranges::count(record->reply_ids, id) == 0) continue;
    // In one second the later one counts as newer.
    if (!best || record->served_at > best->served_at) best = std::move(record);
  }
  return best;
}

Result<std::optional<ReceiptRecord>> Reader::find_light(const Tail& tail, std::string_view id, const Owner& owner,
                                                        const Horizon& horizon, bool others) {
  constexpr Owner kNobody{};
  TRY(exact, by_id(tail, id, horizon));
  if (exact && exact->owner == owner) return exact;
  TRY(own, newest(tail, id, &owner, horizon));
  if (own) return own;
  if (exact && (others || exact->owner == kNobody)) return exact;
  return newest(tail, id, others ? nullptr : &kNobody, horizon);
}

// The tail is read before the indexes: a receipt that moves to them in the meantime is seen twice, not missed.
Result<std::optional<ReceiptRecord>> Reader::find(std::string_view id, const Owner& owner, const Horizon& horizon,
                                                  const FindOptions& options) {
  if (id.empty() || id.size() > std::max(kMostReceiptIdBytes, kMostReplyIdBytes)) return std::optional<ReceiptRecord>();
  TRY(tail, tail_.read(kTail));
  TRY(found, find_light(tail, id, owner, horizon.without_event_hashes(), options.others));
  if (!found || !options.event_hashes) return found;
  return by_id(tail, found->receipt_id, horizon);
}

Result<std::vector<ReceiptRecord>> Reader::list(const ReceiptStore::Position& after, std::size_t limit,
                                                const Horizon& horizon) {
  using Key = std::pair<UnixSeconds, std::string_view>;
  const auto key = [](const TailRow& row) { return Key(row.served_at, row.place); };
  const Place after_place = keys_.place(after.receipt_id);
  const Key begin(after.served_at, after.receipt_id.empty() ? std::string_view() : as_text(after_place));
  TRY(tail, tail_.read(kTail));
  std::erase_if(tail.rows, [&](const TailRow& row) { return row.served_at < horizon.receipts || key(row) <= begin; });
  std::ranges::sort(tail.rows, {}, key);
  auto next = tail.rows.cbegin();

  const std::size_t most = std::min(limit, kMostListed);
  const db::sqlite::StatementUse use(page_);
  page_.bind(1, begin.first).bind(2, begin.second).bind(3, horizon.receipts);
  TRY(indexed, page_.step());
  std::vector<ReceiptRecord> out;
  // Merges two sorted lists; what has moved from one to the other in the meantime is in both.
  for (std::size_t bytes = 0; bytes < kPageBytes && out.size() < most;) {
    const bool from_tail = next != tail.rows.cend() && (!indexed || key(*next) < Key(page_.number(5), page_.bytes(6)));
    if (!from_tail && !indexed) break;
    std::optional<ReceiptRecord> record;
    if (from_tail) {
      TRY(read, by_seq((next++)->seq, horizon));
      record = std::move(read);
    } else {
      if (page_.number(1) != page_.number(5) || page_.bytes(0) != page_.bytes(6))
        return connection_.damaged("an index leads elsewhere");
      TRY(read, read_row(page_, horizon));
      record = std::move(read);
      if (next != tail.rows.cend() && next->place == page_.bytes(6)) ++next;
      TRY(more, page_.step());
      indexed = more;
    }
    if (!record) continue;
    bytes += record->receipt.size() + record->event_hashes.size();
    out.push_back(std::move(*record));
  }
  return out;
}

Result<std::vector<Document>> Reader::documents(std::string_view kind, std::string_view key) {
  const db::sqlite::StatementUse use(documents_);
  documents_.bind(1, key).bind(2, kind);
  std::vector<Document> out;
  while (true) {
    TRY(row, documents_.step());
    if (!row) return out;
    Document document;
    document.kind = documents_.bytes(0);
    document.key = documents_.bytes(1);
    document.made = documents_.number(2);
    document.text = documents_.bytes(3);
    out.push_back(std::move(document));
  }
}

Result<StoreState> Reader::state() {
  TRY(tail, tail_.read(kTail));
  std::int64_t bytes = tail.bytes;
  for (const TailRow& row : tail.rows) bytes = wrapping_sum(bytes, row.bytes);
  StoreState state;
  state.receipts = static_cast<std::uint64_t>(std::max<std::int64_t>(tail.receipts, 0)) + tail.rows.size();
  state.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0));
  const db::sqlite::StatementUse use(oldest_);
  TRY(row, oldest_.step());
  std::optional<UnixSeconds> oldest;
  if (row) oldest = oldest_.number(0);
  for (const TailRow& last : tail.rows) oldest = std::min(oldest.value_or(last.served_at), last.served_at);
  state.oldest = oldest.value_or(0);
  return state;
}

}  // namespace cloister::store
