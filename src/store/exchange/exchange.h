// Exports a store's receipts as lines, and imports them into another store. In bounded memory, whatever their number.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "store/exchange/line_reader.h"
#include "store/exchange/signed_receipts.h"
#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

struct ExchangeCount {
  std::uint64_t receipts = 0;
  std::uint64_t documents = 0;
  std::uint64_t known = 0;            // import: receipts that were already there, and are not among `receipts`
  std::uint64_t known_documents = 0;  // import: likewise
  std::uint64_t left_out = 0;         // export: stored texts that are no receipts, or not what their key says
};

// Reports on the work while it is running; `stop` ends it early (kCancelled), with whole lines and whole batches.
struct ExchangeWatch {
  std::function<void(const ExchangeCount&)> progress = [](const ExchangeCount&) {};
  std::function<void(const std::string& complaint)> left_out = [](const std::string&) {};
  // For an import: which line's document is not stored, because another of the same kind and key stays there.
  std::function<void(const std::string& notice)> kept = [](const std::string&) {};
  const std::atomic<bool>* stop = nullptr;
};

struct ExportRange {
  UnixSeconds since = 0;
  std::optional<UnixSeconds> until;  // the last second that is included
};

// Exports in the order of time, within a second in the order of the store; before each receipt come the documents that it names by digest,
// each document once. The same receipts give the same lines under the same keys, from any kind of store. `write` gets plain lines.
Result<ExchangeCount> export_receipts(ReceiptStore& store, const ExportRange& range, const ExchangeWatch& watch,
                                      const std::function<Result<void>(std::string_view line)>& write);

enum class Imported {
  kAdded,
  kKnown,       // it was there already
  kOtherStays,  // a report of the same kind and keyset is stored, and has not changed
};

// Stores a document that check_named() has accepted, and never replaces one that is what its key says: kStoreConflict for another content. A node
// makes its reports anew twice a day, so another report is no conflict: the first one stays.
Result<Imported> import_document(ReceiptStore& store, const Document& document);

// Puts every line into the store; those that are encrypted are opened with `keys`. Stops at the first that is no line of an export, is a receipt
// that its keyset's key did not sign (store/exchange/signed_receipts.h), is a document that is not what its key says
// (store/exchange/named_document.h), or contradicts what is stored; the Error says which, and those before it are in. Doing it again changes
// nothing. `signed_receipts` knows the keysets that neither the lines nor the store have.
Result<ExchangeCount> import_receipts(LineReader& lines, ReceiptStore& store, const StoreKeys& keys,
                                      SignedReceipts& signed_receipts, const ExchangeWatch& watch);

}  // namespace cloister::store
