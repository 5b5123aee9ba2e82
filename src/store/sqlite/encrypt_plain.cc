#include "store/sqlite/encrypt_plain.h"

#include <string_view>
#include <vector>

#include "store/record.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/table_texts.h"
#include "store/sqlite/writer.h"

namespace cloister::store {
namespace {

constexpr std::size_t kBatch = 64;

Result<ReceiptRecord> read_plain_row(const db::sqlite::Statement& row, const StoreKeys& keys) {
  ReceiptRecord record;
  record.receipt_id = row.bytes(0);
  TRY(credential, unpack_owner(row.bytes(1)));
  record.owner = keys.owner(credential);
  record.served_at = row.number(2);
  TRY(ids, unpack_ids(row.bytes(3)));
  record.reply_ids = std::move(ids);
  if (!row.is_null(4)) {
    TRY(legacy, unpack_legacy(row.bytes(4)));
    record.legacy = legacy;
  }
  record.receipt = row.bytes(5);
  if (!row.is_null(6)) record.event_hashes = row.bytes(6);
  TRY_VOID(check_record(record));
  return record;
}

Result<void> copy_receipts(const db::sqlite::Connection& connection, const StoreKeys& keys) {
  TRY(reader, Reader::make(connection, keys));
  TRY(writer, Writer::make(connection, *reader, keys));
  TRY(rows, connection.prepare("SELECT r.receipt_id, r.owner, r.served_at, r.reply_ids, r.legacy, r.receipt, h.hashes "
                               "FROM plain_receipt r LEFT JOIN plain_event_hashes h ON h.seq = r.seq ORDER BY r.seq"));
  std::vector<ReceiptRecord> batch;
  while (true) {
    TRY(row, rows.step());
    if (row) {
      Result<ReceiptRecord> record = read_plain_row(rows, keys);
      if (!record) return connection.damaged(record.error().message);
      batch.push_back(*std::move(record));
    }
    if (batch.size() < kBatch && row) continue;
    TRY_VOID(writer->put_within(batch));
    batch.clear();
    if (!row) return {};
  }
}

}  // namespace

Result<void> encrypt_plain_tables(const db::sqlite::Connection& connection, std::int64_t version,
                                  const StoreKeys& keys) {
  std::vector<const char*> before = {
      "ALTER TABLE receipt RENAME TO plain_receipt", "ALTER TABLE event_hashes RENAME TO plain_event_hashes",
      "ALTER TABLE state RENAME TO plain_state", "DROP INDEX event_hashes_served", "DROP TABLE name"};
  if (version == 2) before.insert(before.end(), {"DROP TABLE place", "DROP TABLE moment"});
  for (const char* sql : before) TRY_VOID(connection.run(sql));
  for (const char* sql : kTables) {
    // The tables that stay.
    if (std::string_view(sql).find(" document(") != std::string_view::npos) continue;
    TRY_VOID(connection.run(sql));
  }
  TRY_VOID(connection.run("INSERT INTO state SELECT 1, 0, 0, 0, coalesce(max(aged_to), 0), 1 FROM plain_state"));
  TRY_VOID(copy_receipts(connection, keys));
  return connection.run("DROP TABLE plain_receipt; DROP TABLE plain_event_hashes; DROP TABLE plain_state");
}

}  // namespace cloister::store
