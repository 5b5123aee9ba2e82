// How one record lies in a store: encrypted, with what the store has to know of it beside (docs/spec/receipt-store.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

struct SealedRecord {
  Place place{};
  UnixSeconds served_at = 0;
  std::int64_t size = 0;         // record_size()
  std::vector<Name> names;       // of the reply ids that are not found by the digits of the receipt's id
  std::string text;              // all of the record but its time and its event hashes
  std::string event_hashes;      // empty: there are none
};

SealedRecord seal_record(const ReceiptRecord& record, const StoreKeys& keys);

// Nothing when it was encrypted with a key that is not among these. kStoreDamaged when it is not what seal_record() made for this
// place and time.
Result<std::optional<ReceiptRecord>> open_record(const StoreKeys& keys, std::string_view place, UnixSeconds served_at,
                                                 std::string_view text);
// The same of its event hashes; "" for a key that is not among these.
Result<std::string> open_event_hashes(const StoreKeys& keys, std::string_view place, UnixSeconds served_at, std::string_view sealed);

// One column: each name in ten bytes, the greater first. What is read may have been changed by anybody: a list that is no such
// list is empty.
std::string pack_names(const std::vector<Name>& names);
std::vector<Name> unpack_names(std::string_view packed);

}  // namespace cloister::store
