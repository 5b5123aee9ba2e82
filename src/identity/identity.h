// Identity: what this node proves of itself at one moment, in one piece: the keyset, the model, the policy. Everything
// that is served at that moment (headers, receipts, reports) is made from one Epoch, so that it is consistent.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "identity/document_history.h"
#include "identity/keyring.h"
#include "identity/keyset_document.h"

namespace cloister::identity {

// Immutable once made.
struct Epoch {
  std::uint64_t number = 0;        // counts from 1, in this process
  std::string keyset;              // the document in canonical form (RFC 8785)
  ByteArray<32> keyset_digest{};   // SHA-256 of the keyset document
  std::string keyset_digest_text;  // "sha256:<hex>", as in headers and receipts
  UnixSeconds not_after = 0;
  std::string receipt_key_id;                    // of Keyring::sign_receipt()
  std::optional<ByteArray<32>> tls_spki_sha256;  // the one in the keyset; absent where the node does not end TLS itself
  evidence::TlsKeyOrigin tls_key_origin = evidence::TlsKeyOrigin::kGiven;  // of that key
  // Digests of the documents `model` and `policy`, which are null where there is none (the model's while it loads, or
  // for a model that cannot be measured).
  std::optional<ByteArray<32>> model_digest;
  std::optional<ByteArray<32>> policy_digest;
  Json model;
  Json policy;
};

struct IdentityOptions {
  int keyset_days = 30;                          // how long a keyset is valid
  std::optional<ByteArray<32>> tls_spki_sha256;  // where the node ends TLS itself
  // The origin of each TLS key that this node will have: kBorn or kGiven.
  evidence::TlsKeyOrigin tls_key_origin = evidence::TlsKeyOrigin::kGiven;
};

class Identity {
 public:
  // Both arguments outlive the identity.
  Identity(const Keyring& keyring, const Clock& clock, const IdentityOptions& options = {});

  // Any thread; takes a lock and reads the clock. Code that works on one request asks once and keeps the answer, which
  // stays valid for at least half of the keyset's lifetime after the next epoch has begun.
  std::shared_ptr<const Epoch> now() const;

  // Sets the model, or the policy, from now on; null for none. Setting what is already set changes nothing. Returns an
  // error for a document that has no canonical form; then nothing has changed. Any thread.
  Result<void> set_model(std::shared_ptr<const Json> model);
  Result<void> set_policy(const Json& policy);
  // Sets the key of the certificate that new connections are shown.
  void set_tls_key(const ByteArray<32>& spki_sha256);

  // The configuration that the keys belong to (Keyring::configuration()).
  const ByteArray<32>& key_configuration() const { return keyring_.configuration(); }

  // The canonical text of a keyset or policy that this process has had, by its digest as text.
  std::optional<std::string> former_keyset(std::string_view digest) const { return keysets_.find(digest); }
  std::optional<std::string> former_policy(std::string_view digest) const { return policies_.find(digest); }

  // `changed` is called after each change of epoch, on the thread that notices the change (any thread, including event
  // loops: it must not block), until the returned listener is destroyed. It must not make listeners.
  class Listener;
  std::unique_ptr<Listener> on_change(std::function<void()> changed);

 private:
  struct Document {
    Json value;
    std::string text;
    std::optional<ByteArray<32>> digest;
  };
  using Listeners = std::list<std::function<void()>>;

  static Result<Document> read(const Json& value);
  Result<void> set(Document Identity::*which, Document document);
  // Called with the lock held: begins a new epoch now.
  void begin_epoch();
  // Both are called with the lock held. True when the period differs from the epoch's.
  bool is_over(UnixSeconds time) const;
  void renew(UnixSeconds time) const;
  void announce() const;

  const Keyring& keyring_;
  const Clock& clock_;
  const KeysetPeriods periods_;
  const evidence::TlsKeyOrigin tls_key_origin_;
  mutable DocumentHistory keysets_, policies_;

  mutable std::mutex mutex_;  // guards all members down to the next mutex
  mutable std::int64_t index_ = 0;
  mutable std::shared_ptr<const Epoch> current_;
  std::optional<ByteArray<32>> tls_spki_sha256_;
  Document model_, policy_;

  // Held while listeners run, so that a destroyed listener is not called any more. Recursive: a listener that calls
  // now() may be the one that notices the next change.
  mutable std::recursive_mutex listening_;
  Listeners listeners_;
};

// Destroying it ends the registration. The identity outlives it.
class Identity::Listener {
 public:
  Listener(Identity& identity, Listeners::iterator place) : identity_(identity), place_(place) {}
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  Identity& identity_;
  Listeners::iterator place_;
};

}  // namespace cloister::identity
