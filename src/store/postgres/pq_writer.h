// The changes to a receipt store in PostgreSQL, on one connection. Every function may run twice.
#pragma once

#include <span>
#include <vector>

#include "db/postgres/connection.h"
#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

// Orders by receipt id, so that writers of the same receipts wait for each other in one order; each receipt once.
// kStoreConflict when two with one id differ.
Result<std::vector<const ReceiptRecord*>> in_order(std::span<const ReceiptRecord> batch);

// One transaction; `batch` comes from in_order().
Result<void> pq_put(db::postgres::Connection& connection, const std::vector<const ReceiptRecord*>& batch,
                    const StoreKeys& keys);
// Does the same in a transaction that already exists.
Result<void> pq_put_within(db::postgres::Connection& connection, const std::vector<const ReceiptRecord*>& batch,
                           const StoreKeys& keys);
Result<void> pq_put_document(db::postgres::Connection& connection, const Document& document);
Result<void> pq_set_aged_to(db::postgres::Connection& connection, UnixSeconds aged_to);

// Each is one short transaction and returns how many it deleted. Replicas that prune at once skip each other's rows.
Result<std::int64_t> pq_drop_event_hashes_before(db::postgres::Connection& connection, UnixSeconds served_at);
Result<std::int64_t> pq_drop_receipts_before(db::postgres::Connection& connection, UnixSeconds served_at);
Result<std::int64_t> pq_drop_documents_before(db::postgres::Connection& connection, UnixSeconds made);
Result<std::int64_t> pq_drop_event_hashes_over(db::postgres::Connection& connection, std::uint64_t limit);
Result<std::int64_t> pq_drop_receipts_over(db::postgres::Connection& connection, std::uint64_t limit);

}  // namespace cloister::store
