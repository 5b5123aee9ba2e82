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

// A text that receipts need beside them, found by the digest that they name it by: a report, a policy.
struct Document {
  std::string kind;    // "report.native", "report.aci", "policy"
  std::string key;     // "sha256:<hex>"
  std::string text;
  UnixSeconds made = 0;
};

struct StoreLimits {
  std::int64_t receipt_age_s = 30 * 86400;
  std::int64_t event_hash_age_s = 86400;
  std::uint64_t bytes = 4ull << 30;      // of all receipts together; the oldest make room
};

struct StoreState {
  std::uint64_t receipts = 0;
  std::uint64_t bytes = 0;               // as limits.bytes counts them
  UnixSeconds oldest = 0;                // 0: there is none
};

class ReceiptStore {
 public:
  virtual ~ReceiptStore() = default;
  // "sqlite", "postgresql": for logs and /health.
  virtual std::string_view type() const = 0;

  // All or none. After success they survive the end of this process at any moment (and that of the machine, where the
  // store was opened so). A receipt id that is there already with the same content is no error; with another it is.
  virtual Result<void> put(std::span<const ReceiptRecord> batch) = 0;
  // By receipt id or reply id. The owner's newest, else the newest of another owner (the caller decides what to say of
  // that); nothing when there is none. Records past their age are not found, whether or not prune() has run.
  virtual Result<std::optional<ReceiptRecord>> find(std::string_view id, const Owner& owner) = 0;
  // In the order of (served_at, receipt_id), those after `after`, at most `limit`; an empty page is the end.
  struct Position {
    UnixSeconds served_at = 0;
    std::string receipt_id;
  };
  virtual Result<std::vector<ReceiptRecord>> list(const Position& after, std::size_t limit) = 0;

  // Replaces one of the same kind and key.
  virtual Result<void> put_document(const Document& document) = 0;
  virtual Result<std::optional<Document>> find_document(std::string_view kind, std::string_view key) = 0;

  // Deletes what is past its limits, in steps that hold up put() for at most some milliseconds each; returns how many
  // receipts went.
  virtual Result<std::uint64_t> prune() = 0;
  virtual Result<StoreState> state() = 0;
};

}  // namespace cloister::store
