// The lines of an export (docs/spec/receipt-export.md): each is one JSON object, a receipt with what the store keeps
// for it, or a document that receipts name.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

using ExportItem = std::variant<ReceiptRecord, Document>;

// For the largest record, escaped.
inline constexpr std::size_t kMostLineBytes = 40u << 20;
// For the same line, encrypted (store/exchange/sealed_line.h).
inline constexpr std::size_t kMostSealedLineBytes = 56u << 20;

// Returns the line without its end. An Error (kBadReceipt) for what parse_export_line() would refuse: a text that is no receipt, or
// has another id or time than the record; names that are not UTF-8. The line is plain: what leaves the TEE has to be sealed.
Result<std::string> write_export_line(const ExportItem& item);

// Strict: kBadReceipt names the wrong member, and never repeats its content. The result can be put into a store. Signatures
// are not verified. Owners of `cloister.receipt.v1` are digests without a key: they are returned as keyed ones.
Result<ExportItem> parse_export_line(std::string_view line, const StoreKeys& keys);

}  // namespace cloister::store
