// An attested session (ACI `aci/1`, section 8): a gateway's record of one upstream TEE that it verified: which TEE, with
// what evidence, over which channel, for how long. Nobody signs it: a receipt names it by the hash of its document.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

// What the gateway enforced when it connected to the upstream.
struct ChannelBinding {
  enum class Kind { kTlsSpki, kE2eeKey, kUnknown };
  Kind kind = Kind::kUnknown;
  std::string type;        // as served
  std::string where;       // the origin, or the provider
  ByteArray<32> sha256{};  // of the SubjectPublicKeyInfo, or of the public key's bytes
};

struct Session {
  ByteArray<32> id{};  // SHA-256 of the document's canonical form (RFC 8785)
  std::string upstream_name;
  std::optional<std::string> endpoint;
  std::string verifier_id;
  UnixSeconds established_at = 0, expires_at = 0;
  std::vector<ChannelBinding> channel_binding;
  Json claims;  // object: the gateway's statements about the upstream
  // Absent where the gateway kept no evidence.
  struct Evidence {
    ByteArray<32> digest{};  // as the document states it
    std::string media_type;
    Bytes data;
  };
  std::optional<Evidence> evidence;
};

// Accepts at most 16 MiB and 64 bindings. The members at the top are fixed: an additional one is an error (kBadSession). An
// abbreviated entry of a gateway's list, which has an id and no evidence data, is refused: its hash is not its id.
Result<Session> parse_session(std::string_view json_text);

}  // namespace cloister::evidence
