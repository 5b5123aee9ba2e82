// The changes to a receipt store in PostgreSQL, on one connection. Every function may run twice.
#pragma once

#include <span>
#include <vector>

#include "store/postgres/pq_connection.h"
#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

// Orders by receipt id, so that writers of the same receipts wait for each other in one order; each receipt once.
// kStoreConflict when two with one id differ.
Result<std::vector<const ReceiptRecord*>> in_order(std::span<const ReceiptRecord> batch);

// One transaction; `batch` comes from in_order().
Result<void> pq_put(PqConnection& connection, const std::vector<const ReceiptRecord*>& batch, const StoreKeys& keys);
// Does the same in a transaction that already exists.
Result<void> pq_put_within(PqConnection& connection, const std::vector<const ReceiptRecord*>& batch,
                           const StoreKeys& keys);
Result<void> pq_put_document(PqConnection& connection, const Document& document);
Result<void> pq_set_aged_to(PqConnection& connection, UnixSeconds aged_to);

// Each is one short transaction and returns how many it deleted. Replicas that prune at once skip each other's rows.
Result<std::int64_t> pq_drop_event_hashes_before(PqConnection& connection, UnixSeconds served_at);
Result<std::int64_t> pq_drop_receipts_before(PqConnection& connection, UnixSeconds served_at);
Result<std::int64_t> pq_drop_documents_before(PqConnection& connection, UnixSeconds made);
Result<std::int64_t> pq_drop_event_hashes_over(PqConnection& connection, std::uint64_t limit);
Result<std::int64_t> pq_drop_receipts_over(PqConnection& connection, std::uint64_t limit);

}  // namespace cloister::store
