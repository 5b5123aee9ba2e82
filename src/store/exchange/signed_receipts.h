// SignedReceipts: whether a receipt that an import reads was signed by the keys that it names, and says what stands beside it. One thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "evidence/aci/keyset.h"
#include "store/receipt_store.h"

namespace cloister::store {

class SignedReceipts {
 public:
  // Keysets that nobody added are looked for in `store`, which outlives this.
  explicit SignedReceipts(ReceiptStore& store) : store_(store) {}

  // Takes the keyset out of a document that has one. Errors as check_named() (store/exchange/named_document.h).
  Result<void> add(const Document& document);
  // The document of a keyset, as a node serves it (GET /v1/cloister/keyset). Returns it as a store keeps it. kBadReceipt when it is none.
  Result<Document> add_keyset(std::string_view text, UnixSeconds made);

  // Errors (kBadReceipt): the text is not the receipt's canonical form; the keyset that it names is not known, or has no such key; the
  // signature is not of that key; the legacy signature or the leaves beside it are of another reply. Errors of the store as they are.
  Result<void> check(const ReceiptRecord& record);

 private:
  void add(evidence::Keyset keyset);
  Result<const evidence::Keyset*> keyset_of(const ByteArray<32>& digest);

  ReceiptStore& store_;
  std::map<ByteArray<32>, evidence::Keyset> keysets_;
};

}  // namespace cloister::store
