// ReceiptStore: keeps the receipts of a node's replies: they are found again after a restart, by the receipt's id or
// the reply's, and bounded by age and size. Every call may wait for a disk or a network: never call it from an event
// loop or the engine thread. Any thread.
//
// What a store returns was outside the TEE: it is evidence to verify, not the node's own statement. Code that signs
// anything because of it first verifies its signature.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/owner.h"
#include "base/result.h"

namespace cloister::store {

// The legacy signature of a reply (docs/spec/legacy-proof.md); its ed25519 form is made on request.
struct LegacySignature {
  ByteArray<32> request_sha256{};
  ByteArray<32> response_sha256{};
  ByteArray<65> ecdsa{};

  bool operator==(const LegacySignature&) const = default;
};

struct ReceiptRecord {
  std::string receipt_id;  // unique forever; 1 to 128 bytes
  std::vector<std::string>
      reply_ids;  // further ids of the reply: this node's, an upstream's; at most 4, of 1 to 256 bytes
  Owner owner{};
  UnixSeconds served_at = 0;
  std::string receipt;  // JSON text as served; at most 1 MiB
  std::optional<LegacySignature> legacy;
  std::string event_hashes;  // for a stream: the leaf hashes of its events, 32 bytes each; dropped before the rest

  bool operator==(const ReceiptRecord&) const = default;
};

// A text that receipts refer to, found by the digest by which they name it: a report, a policy. It is kept for
// receipt_age_s and two days after `made`: whoever continues to name it puts it again, at least once a day.
struct Document {
  std::string kind;  // "keyset", "report.native", "report.aci", "policy"; at most 64 bytes
  std::string key;   // "sha256:<hex>"; at most 128 bytes
  std::string text;  // at most 16 MiB
  UnixSeconds made = 0;

  bool operator==(const Document&) const = default;
};

// The kind of the documents that hold the keyset of receipts: `text` is its document, `key` its digest.
inline constexpr std::string_view kKeysetKind = "keyset";

// What put() and put_document() take at most; beyond it they refuse the whole batch (kStoreRefused). check_record()
// (store/record.h) says the same of one record.
inline constexpr std::size_t kMostReceiptIdBytes = 128;
inline constexpr std::size_t kMostReplyIds = 4;
inline constexpr std::size_t kMostReplyIdBytes = 256;
inline constexpr std::size_t kMostReceiptBytes = 1u << 20;
inline constexpr std::size_t kMostEventHashBytes = 8u << 20;  // 262,144 events
inline constexpr std::size_t kMostDocumentKindBytes = 64;
inline constexpr std::size_t kMostDocumentKeyBytes = 128;
inline constexpr std::size_t kMostDocumentBytes = 16u << 20;
inline constexpr std::size_t kMostListed = 1024;

struct StoreLimits {
  std::int64_t receipt_age_s = 30 * 86400;
  std::int64_t event_hash_age_s = 86400;
  // For all receipts together, counted as record_size() does (store/record.h). The oldest event hashes are dropped
  // first, then the oldest receipts.
  std::uint64_t bytes = 4ull << 30;
};

// What find() looks for.
struct FindOptions {
  // True: a receipt of another owner is found where the owner has none of this id. False: only one of callers without a
  // token is. Then a record that another owner's reply id leads to is not even read, so that how long the answer takes does
  // not tell that there is one: an upstream may give ids that can be guessed. The store's own receipt ids cannot be guessed.
  bool others = true;
  // False: `event_hashes`, which can be eight megabytes, is not read and stays empty.
  bool event_hashes = true;
};

struct StoreState {
  std::uint64_t receipts = 0;
  std::uint64_t bytes = 0;  // counted like limits.bytes
  UnixSeconds oldest = 0;   // served_at; 0: there is no receipt
};

class ReceiptStore {
 public:
  virtual ~ReceiptStore() = default;
  // "sqlite", "memory", "postgresql": for logs and /health.
  virtual std::string_view type() const = 0;

  // Stores all or none. After success they survive the end of this process at any moment (and that of the machine,
  // where the store was opened so). A receipt id that is already there with the same content is no error (event hashes
  // that were dropped since do not come back); with another content it is (kStoreConflict). After kStoreFailed (full,
  // locked, server gone) the same batch may be put again, also when it is unknown whether it was stored.
  virtual Result<void> put(std::span<const ReceiptRecord> batch) = 0;
  // Finds by receipt id or reply id. Among the owner's: the one with this receipt id, else the newest with this reply
  // id. Else one of another owner in the same way, as the options allow; absent when there is none. Records past their
  // age are not found, nor are event hashes past theirs, whether or not prune() has run.
  virtual Result<std::optional<ReceiptRecord>> find(std::string_view id, const Owner& owner,
                                                    const FindOptions& options) = 0;
  Result<std::optional<ReceiptRecord>> find(std::string_view id, const Owner& owner) { return find(id, owner, {}); }
  // Lists in the order of (served_at, receipt_id) those after `after`, at most `limit` (and kMostListed) and about 64
  // MiB; an empty page is the end.
  struct Position {
    UnixSeconds served_at = 0;
    std::string receipt_id;
  };
  virtual Result<std::vector<ReceiptRecord>> list(const Position& after, std::size_t limit) = 0;

  // Replaces a document of the same kind and key.
  virtual Result<void> put_document(const Document& document) = 0;
  virtual Result<std::optional<Document>> find_document(std::string_view kind, std::string_view key) = 0;
  // Finds documents of every kind.
  virtual Result<std::vector<Document>> find_documents(std::string_view key) = 0;

  // Deletes what is past its limits, in steps that delay put() by at most some milliseconds each; returns how many
  // receipts were deleted. It costs little when there is nothing to do, and is meant to be called every few seconds. By
  // a clock that has jumped ahead it deletes slowly (store/ageing.h), by one that has fallen behind nothing.
  virtual Result<std::uint64_t> prune() = 0;
  virtual Result<StoreState> state() = 0;
};

}  // namespace cloister::store
