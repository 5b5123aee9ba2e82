// ReceiptStore: where the receipts of a node's replies last: found again after a restart, by the receipt's id or the
// reply's, bounded by age and size. Every call may wait for a disk or a network: never from an event loop or the engine
// thread. Safe from any thread.
//
// What comes out of a store was outside the TEE: it is evidence to judge, not the node's own word. Whoever signs anything
// because of it checks its signature first.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace cloister::store {

// Whose reply it was: a digest of the credential, all zero for callers without one.
using Owner = ByteArray<16>;

// The legacy signature of a reply (docs/spec/legacy-proof.md); its ed25519 form is made when it is asked for.
struct LegacySignature {
  ByteArray<32> request_sha256{};
  ByteArray<32> response_sha256{};
  ByteArray<65> ecdsa{};

  bool operator==(const LegacySignature&) const = default;
};

struct ReceiptRecord {
  std::string receipt_id;               // unique for ever; 1 to 128 bytes
  std::vector<std::string> reply_ids;   // what else the reply is called: our id, an upstream's; at most 4, of 1 to 256 bytes
  Owner owner{};
  UnixSeconds served_at = 0;
  std::string receipt;                  // JSON text as it is served; at most 1 MiB
  std::optional<LegacySignature> legacy;
  std::string event_hashes;             // of a stream: the leaf hashes of its events, 32 bytes each; dropped before the rest

  bool operator==(const ReceiptRecord&) const = default;
};

// A text that receipts need beside them, found by the digest that they name it by: a report, a policy. It is kept for
// receipt_age_s and two days after `made`: who goes on naming it puts it again, at least once a day.
struct Document {
  std::string kind;    // "keyset", "report.native", "report.aci", "policy"; at most 64 bytes
  std::string key;     // "sha256:<hex>"; at most 128 bytes
  std::string text;    // at most 16 MiB
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
inline constexpr std::size_t kMostEventHashBytes = 8u << 20;   // 262,144 events
inline constexpr std::size_t kMostDocumentKindBytes = 64;
inline constexpr std::size_t kMostDocumentKeyBytes = 128;
inline constexpr std::size_t kMostDocumentBytes = 16u << 20;
inline constexpr std::size_t kMostListed = 1024;

struct StoreLimits {
  std::int64_t receipt_age_s = 30 * 86400;
  std::int64_t event_hash_age_s = 86400;
  // Of all receipts together, as record_size() counts (store/record.h). The event hashes that came first make room, then
  // the receipts that came first.
  std::uint64_t bytes = 4ull << 30;
};

struct StoreState {
  std::uint64_t receipts = 0;
  std::uint64_t bytes = 0;               // as limits.bytes counts them
  UnixSeconds oldest = 0;                // served_at; 0: there is none
};

class ReceiptStore {
 public:
  virtual ~ReceiptStore() = default;
  // "sqlite", "memory", "postgresql": for logs and /health.
  virtual std::string_view type() const = 0;

  // All or none. After success they survive the end of this process at any moment (and that of the machine, where the
  // store was opened so). A receipt id that is there already with the same content is no error (event hashes that were
  // dropped since do not come back); with another it is (kStoreConflict). After kStoreFailed (full, locked, server gone)
  // the same batch may be put again: also when it is not known whether it was stored.
  virtual Result<void> put(std::span<const ReceiptRecord> batch) = 0;
  // By receipt id or reply id. Of the owner's: that of this receipt id, else the newest that replied under this id. Else
  // one of another owner in the same way (the caller decides what to say of that); nothing when there is none. Records
  // past their age are not found, nor are event hashes past theirs, whether or not prune() has run.
  virtual Result<std::optional<ReceiptRecord>> find(std::string_view id, const Owner& owner) = 0;
  // In the order of (served_at, receipt_id), those after `after`, at most `limit` (and kMostListed) and about 64 MiB; an
  // empty page is the end.
  struct Position {
    UnixSeconds served_at = 0;
    std::string receipt_id;
  };
  virtual Result<std::vector<ReceiptRecord>> list(const Position& after, std::size_t limit) = 0;

  // Replaces one of the same kind and key.
  virtual Result<void> put_document(const Document& document) = 0;
  virtual Result<std::optional<Document>> find_document(std::string_view kind, std::string_view key) = 0;
  // Of every kind.
  virtual Result<std::vector<Document>> find_documents(std::string_view key) = 0;

  // Deletes what is past its limits, in steps that hold up put() for at most some milliseconds each; returns how many
  // receipts went. Costs little when there is nothing to do: meant to be called every few seconds. By a clock that has
  // jumped ahead it deletes slowly (store/ageing.h), by one that has fallen behind nothing.
  virtual Result<std::uint64_t> prune() = 0;
  virtual Result<StoreState> state() = 0;
};

}  // namespace cloister::store
