// The keys that a simulated dstack guest agent gives out, under a simulated KMS. All of them are derived from the seed,
// so that a path gives the same key here as in the in-process simulator. Immutable; any thread. Private to the
// simulator.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/secp256k1.h"
#include "tee/tee.h"

namespace cloister::tee {

class AgentKeys {
 public:
  // `tee` is the simulator of the same seed, and outlives this object.
  static Result<AgentKeys> make(ByteView seed, Tee& tee);

  // {"key","signature_chain"}: the application's key signed the derived key, and the KMS root signed the application's key.
  Result<Json> get_key(std::string_view path, std::string_view purpose, std::string_view algorithm) const;
  // {"key","certificate_chain"} in PEM: a P-256 key, fresh without `path`, else derived from it. The application's
  // authority certified the key, and its certificate is the second.
  Result<Json> tls_key(const std::optional<std::string>& path, const std::string& subject,
                       const std::vector<std::string>& names) const;
  // {"signature","signature_chain","public_key"} by the key of the path "vms", as real agents sign.
  Result<Json> sign(std::string_view algorithm, ByteView data) const;
  // {"valid"}
  static Result<Json> verify(std::string_view algorithm, ByteView data, ByteView signature, ByteView public_key);

 private:
  AgentKeys(SecretBytes seed, Tee& tee, crypto::Secp256k1Key app_key, std::string root_signature);

  SecretBytes seed_;
  Tee& tee_;
  crypto::Secp256k1Key app_key_;
  std::string root_signature_;  // hex: the KMS root's signature over the application's key
};

}  // namespace cloister::tee
