// Identity: what this node proves of itself at one moment, in one piece: the keyset, the model, the policy. Whatever is
// served in that moment (headers, receipts, reports) is made from one Epoch, so that it all fits together.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "serve/keyring.h"

namespace cloister::serve {

// Never changes once it is made.
struct Epoch {
  std::string keyset;                // the document in canonical form (RFC 8785)
  ByteArray<32> keyset_digest{};     // SHA-256 of it
  std::string keyset_digest_text;    // "sha256:<hex>", as headers and receipts say it
  UnixSeconds not_after = 0;
  std::string receipt_key_id;        // of Keyring::sign_receipt()
  // Of the documents beside them, which are null where there is none (the model while it loads, or one that cannot be
  // measured).
  std::optional<ByteArray<32>> model_digest;
  std::optional<ByteArray<32>> policy_digest;
  Json model;
  Json policy;
};

class Identity {
 public:
  // Both outlive it.
  Identity(const Keyring& keyring, const Clock& clock);

  // Any thread; does not block. Whoever works on one request asks once and keeps the answer.
  std::shared_ptr<const Epoch> now() const;

 private:
  std::shared_ptr<const Epoch> make() const;

  const Keyring& keyring_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Epoch> current_;
};

}  // namespace cloister::serve
