// What all kinds of stores have in common for one record: its limits, its size, and how lists of ids and legacy
// signatures are written as bytes. store/sealed_record.h encrypts a record. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/receipt_store.h"

namespace cloister::store {

// kStoreRefused when a member is beyond its limit, empty where it must not be, or before 1970; the message names the member.
Result<void> check_record(const ReceiptRecord& record);
Result<void> check_document(const Document& document);

// How limits.bytes counts a record: its texts, and for the rest about the size of a row and its index entries.
// record_size() leaves out the event hashes, which have an age of their own.
std::uint64_t record_size(const ReceiptRecord& record);

// True for the same receipt: everything is equal, except that the event hashes of `stored` may be gone.
bool same_content(const ReceiptRecord& stored, const ReceiptRecord& offered);

// For each id its length in two bytes, high byte first, then its bytes.
std::string pack_ids(const std::vector<std::string>& ids);
// 129 bytes: request, response, signature.
std::string pack_legacy(const LegacySignature& legacy);
// Anybody may have changed what was stored: kStoreDamaged, also for more than `most` ids.
Result<std::vector<std::string>> unpack_ids(std::string_view packed, std::size_t most = kMostReplyIds);
Result<LegacySignature> unpack_legacy(std::string_view packed);
Result<Owner> unpack_owner(std::string_view bytes);

}  // namespace cloister::store
