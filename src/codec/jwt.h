// JSON Web Tokens in the compact form (RFC 7515, RFC 7519) and the keys that sign them (RFC 7517), as NVIDIA's Remote
// Attestation Service uses them: ES384 only. The claims are not verified here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::codec {

// Alphabet of RFC 4648 section 5 without padding; trailing bits must be zero.
Result<Bytes> from_base64url(std::string_view text);
std::string to_base64url(ByteView bytes);

struct Jwt {
  std::string key_id;       // header `kid`
  Json claims;              // an object; not believed before the signature is verified
  std::string signed_text;  // header.payload as served
  Bytes signature;          // r || s, 96 bytes
};

// Accepts at most 64 KiB. The header must be an object with alg "ES384" and a `kid`; `crit` and a `typ` other than JWT
// are refused; keys or addresses of keys in the header are ignored. The claims must be an object.
Result<Jwt> parse_jwt(std::string_view text);

struct JwtKey {
  Bytes point;                      // x || y on P-384
  std::vector<Bytes> certificates;  // `x5c`: DER, the key's own certificate first; at most 4. Not verified here
};
// The keys by `kid`. Every key must have a `kid` of its own; keys for other algorithms are left out, so that no token
// can use them.
using JwtKeys = std::map<std::string, JwtKey>;
Result<JwtKeys> parse_jwks(std::string_view json_text);

// Verifies with this key, x || y on P-384. The caller has to know whose key it is, and why it is trusted.
Result<void> verify_jwt(const Jwt& token, ByteView point);

}  // namespace cloister::codec
