// The stored form of one record: encrypted, with what the store has to know of it next to it (docs/spec/receipt-store.md).
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
  std::int64_t size = 0;     // record_size()
  std::vector<Name> names;   // of the reply ids that cannot be found by the digits of the receipt's id
  std::string text;          // the whole record except its time and its event hashes
  std::string event_hashes;  // empty: there are none
};

SealedRecord seal_record(const ReceiptRecord& record, const StoreKeys& keys);

// Absent when it was encrypted with a key that is not among these. kStoreDamaged when it is not what seal_record() made
// for this place and time.
Result<std::optional<ReceiptRecord>> open_record(const StoreKeys& keys, std::string_view place, UnixSeconds served_at,
                                                 std::string_view text);
// Opens the record's event hashes in the same way; "" for a key that is not among these.
Result<std::string> open_event_hashes(const StoreKeys& keys, std::string_view place, UnixSeconds served_at,
                                      std::string_view sealed);

// The form of one column: each name in ten bytes, high byte first. Anybody may have changed what is read: a list of
// another form counts as empty.
std::string pack_names(const std::vector<Name>& names);
std::vector<Name> unpack_names(std::string_view packed);

}  // namespace cloister::store
