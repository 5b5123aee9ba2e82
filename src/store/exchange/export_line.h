// The lines of an export (docs/spec/receipt-export.md): one JSON object each, a receipt with what the store keeps beside it,
// or a document that receipts name.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

using ExportItem = std::variant<ReceiptRecord, Document>;

// Of the largest record, escaped.
inline constexpr std::size_t kMostLineBytes = 40u << 20;
// The same, encrypted (store/exchange/sealed_line.h).
inline constexpr std::size_t kMostSealedLineBytes = 56u << 20;

// Without the end of the line. An Error (kBadReceipt) for what parse_export_line() would not take: a text that is no receipt,
// or has another id or time than the record; names that are not UTF-8. The line is plain: what leaves the TEE is to be sealed.
Result<std::string> write_export_line(const ExportItem& item);

// Strict: kBadReceipt names the member that is wrong, and never repeats what it holds. What comes back can be put into a
// store. Nobody has checked a signature. Owners of `cloister.receipt.v1` are digests without a key: they come back as keyed ones.
Result<ExportItem> parse_export_line(std::string_view line, const StoreKeys& keys);

}  // namespace cloister::store
