// The half of Writer that deletes.
#include <algorithm>
#include <utility>
#include <vector>

#include "store/sealed_record.h"
#include "store/sqlite/wrapping_sum.h"
#include "store/sqlite/writer.h"

namespace cloister::store {
namespace {

constexpr std::uint64_t kNoLimit = UINT64_MAX;  // a limit that is never reached

bool over(const Totals& totals, std::uint64_t limit) {
  return limit == kNoLimit || (totals.bytes > 0 && static_cast<std::uint64_t>(totals.bytes) > limit);
}

}  // namespace

// Drops those that `chosen` selects, as long as there are more than `limit` bytes.
Result<std::int64_t> Writer::drop_event_hashes(db::sqlite::Statement& chosen, Totals& totals, std::uint64_t limit) {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;  // read before anything is deleted under the cursor
  {
    const db::sqlite::StatementUse use(chosen);
    while (true) {
      TRY(row, chosen.step());
      if (!row) break;
      rows.emplace_back(chosen.number(0), chosen.number(1));
    }
  }
  std::int64_t count = 0;
  for (const auto& [seq, size] : rows) {
    if (!over(totals, limit)) break;
    TRY_VOID(drop_hashes_.bind(1, seq).run());
    totals.bytes = wrapping_sum(totals.bytes, -size);
    ++count;
  }
  return count;
}

Result<std::int64_t> Writer::drop_receipts(db::sqlite::Statement& chosen, Totals& totals, std::uint64_t limit) {
  struct Row {
    std::int64_t seq, size;
    std::vector<Name> names;
    std::string place;
    UnixSeconds served_at;
  };
  std::vector<Row> rows;
  {
    const db::sqlite::StatementUse use(chosen);
    while (true) {
      TRY(row, chosen.step());
      if (!row) break;
      // A damaged row is deleted, too: only its names stay, and they lead nowhere.
      rows.push_back({chosen.number(0), chosen.number(1), unpack_names(chosen.bytes(2)), std::string(chosen.bytes(3)),
                      chosen.number(4)});
    }
  }
  std::vector<NameOf> names;
  std::int64_t count = 0;
  for (const Row& row : rows) {
    if (!over(totals, limit)) break;
    {
      const db::sqlite::StatementUse use(hashes_size_);
      TRY(has_hashes, hashes_size_.bind(1, row.seq).step());
      if (has_hashes) totals.bytes = wrapping_sum(totals.bytes, -hashes_size_.number(0));
    }
    TRY_VOID(drop_hashes_.bind(1, row.seq).run());
    TRY_VOID(drop_receipt_.bind(1, row.seq).run());
    TRY_VOID(drop_place_.bind(1, row.place).run());
    TRY_VOID(drop_moment_.bind(1, row.served_at).bind(2, row.place).run());
    for (const Name& name : row.names) names.emplace_back(name, row.seq);
    totals.bytes = wrapping_sum(totals.bytes, row.size == INT64_MIN ? 0 : -row.size);
    totals.receipts = wrapping_sum(totals.receipts, -1);
    ++count;
  }
  std::sort(names.begin(), names.end());
  for (const auto& [name, seq] : names) TRY_VOID(drop_name_.bind(1, name.id).bind(2, name.owner).bind(3, seq).run());
  return count;
}

Result<bool> Writer::any(db::sqlite::Statement& chosen, std::optional<UnixSeconds> before) {
  const db::sqlite::StatementUse use(chosen);
  if (before) chosen.bind(1, *before);
  return chosen.step();
}

Result<std::int64_t> Writer::drop(What what, db::sqlite::Statement& chosen, std::optional<UnixSeconds> before,
                                  std::uint64_t limit) {
  TRY(found, any(chosen, before));
  if (!found) return 0;
  TRY(transaction, db::sqlite::Transaction::begin(connection_));
  TRY(totals, this->totals());
  if (before) chosen.bind(1, *before);
  TRY(count, what == What::kReceipts ? drop_receipts(chosen, totals, limit) : drop_event_hashes(chosen, totals, limit));
  if (count == 0) return 0;
  TRY_VOID(save(totals));
  TRY_VOID(transaction.commit());
  return count;
}

Result<std::int64_t> Writer::drop_event_hashes_before(UnixSeconds served_at) {
  return drop(What::kEventHashes, old_hashes_, served_at, kNoLimit);
}

Result<std::int64_t> Writer::drop_receipts_before(UnixSeconds served_at) {
  return drop(What::kReceipts, old_receipts_, served_at, kNoLimit);
}

Result<std::int64_t> Writer::drop_documents_before(UnixSeconds made) {
  TRY_VOID(old_documents_.bind(1, made).run());
  return connection_.changes();
}

Result<std::int64_t> Writer::drop_event_hashes_over(std::uint64_t limit) {
  TRY(totals, this->totals());
  if (!over(totals, limit)) return 0;
  return drop(What::kEventHashes, first_hashes_, std::nullopt, limit);
}

Result<std::int64_t> Writer::drop_receipts_over(std::uint64_t limit) {
  TRY(totals, this->totals());
  if (!over(totals, limit)) return 0;
  return drop(What::kReceipts, first_receipts_, std::nullopt, limit);
}

Result<bool> Writer::shrink() {
  constexpr std::int64_t kWorthwhilePages = 4096;  // 16 MiB
  TRY(empty, connection_.number("PRAGMA freelist_count"));
  TRY(pages, connection_.number("PRAGMA page_count"));
  if (empty < kWorthwhilePages || empty < pages / 4) return false;
  TRY_VOID(connection_.run("PRAGMA incremental_vacuum(256)"));
  return true;
}

}  // namespace cloister::store
