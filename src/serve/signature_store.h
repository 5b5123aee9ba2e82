// SignatureStore: the signatures of finished replies, found again by reply id. In memory, bounded by count and age.
// Safe from any thread.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "crypto/secp256k1.h"
#include "serve/auth.h"

namespace cloister::serve {

// One reply, in the smallest form: the two hashes and the default signature over them (about 300 bytes an entry in all).
// The ed25519 signature is not kept: it is the same whenever it is made (RFC 8032).
struct SignedReply {
  ByteArray<32> request_sha256{};
  ByteArray<32> response_sha256{};
  crypto::EthSignature ecdsa{};
};

struct SignatureStoreLimits {
  std::size_t entries = 100'000;
  std::int64_t ttl_s = 24 * 3600;
};

class SignatureStore {
 public:
  SignatureStore(SignatureStoreLimits limits, const Clock& clock) : limits_(limits), clock_(clock) {}

  // The oldest entry makes room. An id that an upstream has given can come again: the owner's newer reply takes its place,
  // and nobody else's does.
  void put(std::string id, Owner owner, const SignedReply& reply);
  // Nothing when the id is unknown, expired, or belongs to another owner.
  std::optional<SignedReply> find(std::string_view id, Owner owner);
  std::size_t size() const;

 private:
  struct Entry {
    std::string id;
    Owner owner;
    UnixSeconds expires;
    SignedReply reply;
  };
  void drop_expired(UnixSeconds now);

  const SignatureStoreLimits limits_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::list<Entry> by_age_;  // oldest first; entries expire in this order
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_id_;  // keys point into the entries
};

}  // namespace cloister::serve
