#include "store/exchange/signed_receipts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/ed25519.h"
#include "crypto/secp256k1.h"
#include "evidence/aci/receipt.h"
#include "evidence/chat_signature.h"
#include "evidence/json_reader.h"
#include "evidence/merkle_tree.h"
#include "store/exchange/named_document.h"

namespace cloister::store {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReceipt;

using evidence::Keyset;
using evidence::Receipt;
using evidence::ReceiptEvent;

// The entry of the keyset decides the algorithm, never the receipt.
Result<ByteArray<32>> receipt_key(const Keyset& keyset, const std::string& id) {
  const evidence::KeysetKey* found = nullptr;
  for (const evidence::KeysetKey& key : keyset.receipt_signing_keys) {
    if (key.key_id != id) continue;
    if (found != nullptr) return fail(kCode, "receipt: its keyset has two keys of the id that it names", "receipt");
    found = &key;
  }
  if (found == nullptr || found->algo != evidence::kReceiptAlgo) {
    return fail(kCode, "receipt: its keyset has no key for receipts of the id that it names", "receipt");
  }
  const Result<ByteArray<32>> key = from_hex_exactly<32>(found->public_key);
  if (!key) return fail(kCode, "receipt: the key that it names is no Ed25519 key", "receipt");
  return key;
}

const ReceiptEvent* find_event(const Receipt& receipt, std::string_view type) {
  const auto found = std::ranges::find(receipt.events, type, &ReceiptEvent::type);
  return found == receipt.events.end() ? nullptr : &*found;
}

Result<void> check_form(const ReceiptRecord& record) {
  TRY(json, codec::parse_json(record.receipt));
  const Result<std::string> canonical = codec::write_jcs(json);
  if (!canonical || *canonical != record.receipt)
    return fail(kCode, "receipt: is not in its canonical form (RFC 8785)", "receipt");
  return {};
}

Result<void> check_legacy(const LegacySignature& legacy, const Receipt& receipt, const Keyset& keyset) {
  const ReceiptEvent* request = find_event(receipt, evidence::kRequestReceived);
  const ReceiptEvent* response = find_event(receipt, evidence::kResponseReturned);
  if (request == nullptr || request->body_hash != legacy.request_sha256 || response == nullptr ||
      response->body_hash != legacy.response_sha256) {
    return fail(kCode, "legacy: is about other bodies than the receipt", "legacy");
  }
  const auto signer =
      crypto::recover_eip191(evidence::signed_text(legacy.request_sha256, legacy.response_sha256), legacy.ecdsa);
  const std::vector<std::string> addresses = keyset.legacy_addresses();
  if (!signer || std::ranges::count(addresses, crypto::eth_address_text(*signer)) == 0) {
    return fail(kCode, "legacy: is not signed by a key of the receipt's keyset", "legacy");
  }
  return {};
}

Result<void> check_leaves(const std::string& hashes, const Receipt& receipt) {
  const ReceiptEvent* events = find_event(receipt, evidence::kEventsReturned);
  std::vector<evidence::MerkleHash> leaves(hashes.size() / sizeof(evidence::MerkleHash));
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const ByteView leaf =
        as_bytes(std::string_view(hashes)).subspan(i * sizeof(evidence::MerkleHash), sizeof(evidence::MerkleHash));
    std::copy(leaf.begin(), leaf.end(), leaves[i].begin());
  }
  const auto root = events == nullptr ? Json() : events->fields.value("root", Json());
  if (root != Json(evidence::digest_text(evidence::merkle_root(leaves)))) {
    return fail(kCode, "event_hashes: are not the leaves that the receipt names", "event_hashes");
  }
  return {};
}

}  // namespace

Result<Document> SignedReceipts::add_keyset(std::string_view text, UnixSeconds made) {
  const Result<Json> json = codec::parse_json(text);
  if (!json) return fail(kCode, "keyset: " + json.error().message, "text");
  Result<Keyset> keyset = evidence::parse_keyset(*json);
  if (!keyset) return fail(kCode, keyset.error().message, "text");
  Document document{std::string(kKeysetKind), evidence::digest_text(keyset->digest), std::string(text), made};
  add(*std::move(keyset));
  return document;
}

Result<void> SignedReceipts::add(const Document& document) {
  TRY(keyset, check_named(document));
  if (keyset) add(*std::move(keyset));
  return {};
}

void SignedReceipts::add(Keyset keyset) {
  const ByteArray<32> digest = keyset.digest;
  keysets_.try_emplace(digest, std::move(keyset));
}

Result<const Keyset*> SignedReceipts::keyset_of(const ByteArray<32>& digest) {
  if (const auto found = keysets_.find(digest); found != keysets_.end()) return &found->second;
  const std::string key = evidence::digest_text(digest);
  TRY(stored, store_.find_documents(key));
  // One that is not what its key says does not hide another that is.
  for (const Document& document : stored) static_cast<void>(add(document));
  const auto found = keysets_.find(digest);
  if (found != keysets_.end()) return &found->second;
  return fail(kCode,
              "receipt: its signer is unknown: its keyset " + key + " is neither before it nor in the store (--keyset)",
              "receipt");
}

Result<void> SignedReceipts::check(const ReceiptRecord& record) {
  TRY(receipt, evidence::parse_receipt(record.receipt));
  TRY_VOID(check_form(record));
  TRY(keyset, keyset_of(receipt.keyset_digest));
  TRY(key, receipt_key(*keyset, receipt.key_id));
  if (!crypto::verify_ed25519(key, as_bytes(receipt.signing_input), receipt.signature)) {
    return fail(kCode, "receipt: is not signed by the key that it names", "receipt");
  }
  if (record.legacy) TRY_VOID(check_legacy(*record.legacy, receipt, *keyset));
  if (!record.event_hashes.empty()) TRY_VOID(check_leaves(record.event_hashes, receipt));
  return {};
}

}  // namespace cloister::store
