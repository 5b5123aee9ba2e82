#include "verify/report/identity.h"

#include "base/encoding.h"
#include "crypto/secp256k1.h"

namespace cloister::verify {

using evidence::SigningAlgo;

Result<Bytes> parse_identity(SigningAlgo algo, const std::string& address) {
  if (algo == SigningAlgo::kEcdsa) {
    TRY(parsed, crypto::parse_eth_address(address));
    return Bytes(parsed.begin(), parsed.end());
  }
  TRY(key, from_hex_exactly<32>(address));
  return Bytes(key.begin(), key.end());
}

Result<void> check_public_key(SigningAlgo algo, const std::string& public_key, ByteView identity) {
  if (algo == SigningAlgo::kEcdsa) {
    // Some services, such as ACI gateways, write the point with its leading 04.
    const bool prefixed = public_key.size() == 130 && public_key.starts_with("04");
    TRY(point, from_hex_exactly<64>(std::string_view(public_key).substr(prefixed ? 2 : 0)));
    const crypto::EthAddress address = crypto::eth_address(point);
    if (equal(address, identity)) return {};
    return fail(ErrorCode::kBadKey, "the public key belongs to " + crypto::eth_address_text(address));
  }
  TRY(key, from_hex_exactly<32>(public_key));
  if (equal(key, identity)) return {};
  return fail(ErrorCode::kBadKey, "the public key is " + to_hex(key));
}

}  // namespace cloister::verify
