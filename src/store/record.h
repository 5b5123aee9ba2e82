// What the kinds of stores share about one record: its limits, its size, the keys it is found by, and how lists of ids and
// legacy signatures lie in one column. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/receipt_store.h"

namespace cloister::store {

// kStoreRefused when a member is beyond its limit, empty where it may not be, or before 1970; the message names the member.
Result<void> check_record(const ReceiptRecord& record);
Result<void> check_document(const Document& document);

// What limits.bytes counts of a record: its texts, and for the rest about what a row and its places in indexes take.
// record_size() is without the event hashes, which have an age of their own.
std::uint64_t record_size(const ReceiptRecord& record);

// The same receipt: everything equal, except that the event hashes of `stored` may be gone.
bool same_content(const ReceiptRecord& stored, const ReceiptRecord& offered);

// Where a reply id is found: a short digest of it, and of the owner. Different ids may share one, so whoever looks compares
// the ids themselves.
std::int64_t id_key(std::string_view reply_id);
std::int32_t owner_key(const Owner& owner);   // 16 bits

// One column: for each id its length in two bytes, the greater first, then its bytes.
std::string pack_ids(const std::vector<std::string>& ids);
// One column of 129 bytes: request, response, signature.
std::string pack_legacy(const LegacySignature& legacy);
// What was stored may have been changed by anybody since: kStoreDamaged.
Result<std::vector<std::string>> unpack_ids(std::string_view packed);
Result<LegacySignature> unpack_legacy(std::string_view packed);
Result<Owner> unpack_owner(std::string_view bytes);

}  // namespace cloister::store
