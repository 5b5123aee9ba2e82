// Tokens of the attestation service: the compact form, key sets, and the verification of a whole answer.
#include "codec/jwt.h"
#include "fuzz.h"
#include "verify/nvidia/nras.h"
#include "verify/nvidia/nras_keys.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  if (const auto bytes = codec::from_base64url(as_text(input)); bytes) {
    FUZZ_CHECK(codec::to_base64url(*bytes) == as_text(input));
  }
  if (const auto token = codec::parse_jwt(as_text(input)); token) {
    FUZZ_CHECK(token->claims.is_object() && token->signature.size() == 96 && !token->key_id.empty());
    FUZZ_CHECK(!codec::verify_jwt(*token, Bytes(96, 1)));
  }
  if (const auto keys = codec::parse_jwks(as_text(input)); keys) {
    for (const auto& [id, key] : *keys) FUZZ_CHECK(key.point.size() == 96 && key.certificates.size() <= 4);
  }
  verify::Collateral collateral;
  collateral.nras_token = collateral.nras_switch_token = as_text(input);
  collateral.nras_jwks = as_text(input);
  const verify::Policy policy;
  verify::Verdict verdict;
  verify::check_nras({{"1"}, {"2"}, ByteArray<32>{}, true}, {policy, collateral, 1780272000},
                     verify::pinned_nras_authority(), verdict);
  FUZZ_CHECK(verdict.checks.size() == 7);
  // Keys that come with a token do not make it trusted.
  const verify::Check* signature = verdict.find("nvidia.nras.signature");
  FUZZ_CHECK(signature != nullptr && signature->state != verify::State::kPass);
}
