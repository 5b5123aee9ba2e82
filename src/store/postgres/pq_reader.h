// The queries of a receipt store in PostgreSQL. Like store/sqlite/reader.h, on one connection.
#pragma once

#include "db/postgres/connection.h"
#include "store/horizon.h"
#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

Result<std::optional<ReceiptRecord>> pq_find(db::postgres::Connection& connection, std::string_view id,
                                             const Owner& owner, const Horizon& horizon, const StoreKeys& keys,
                                             const FindOptions& options);
Result<std::optional<ReceiptRecord>> pq_find_receipt(db::postgres::Connection& connection, std::string_view receipt_id,
                                                     const Horizon& horizon, const StoreKeys& keys);
Result<std::vector<ReceiptRecord>> pq_list(db::postgres::Connection& connection, const ReceiptStore::Position& after,
                                           std::size_t limit, const Horizon& horizon, const StoreKeys& keys);
Result<std::vector<Document>> pq_documents(db::postgres::Connection& connection, std::string_view key);
Result<StoreState> pq_state(db::postgres::Connection& connection);

struct KnownTimes {
  UnixSeconds aged_to = 0;  // the saved time; 0: none was saved
  UnixSeconds newest = 0;   // served_at of the newest receipt; 0: none
};
Result<KnownTimes> pq_known_times(db::postgres::Connection& connection);

}  // namespace cloister::store
