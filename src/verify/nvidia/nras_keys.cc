#include "verify/nvidia/nras_keys.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "crypto/x509_issued.h"

namespace cloister::verify {
namespace {

// NVIDIA Attestation Service GPU Intermediate 004, valid 2025-12-08 to 2029-12-08, issued by NVIDIA Attestation
// Service CA 001, which NVIDIA does not publish with it. It is the certificate after each key of
// https://nras.attestation.nvidia.com/.well-known/jwks.json, the same in sets recorded by several parties
// between June and September 2026. SHA-256 of the DER:
// 2df8907cf4d6c277b855d407ec178a649930a8e73f7294e8fce66e6ee27c5175, of its public key:
// fd32837f954e2c45db073105166dfe6985ae0480bb113fba63b091a75affe896
constexpr std::string_view kIntermediate004 = R"(-----BEGIN CERTIFICATE-----
MIIDjjCCAxWgAwIBAgIUX+djej7sXIvcZ8Ym8KJF8WsI3UMwCgYIKoZIzj0EAwMw
VjELMAkGA1UEBhMCVVMxGzAZBgNVBAoMEk5WSURJQSBDb3Jwb3JhdGlvbjEqMCgG
A1UEAwwhTlZJRElBIEF0dGVzdGF0aW9uIFNlcnZpY2UgQ0EgMDAxMB4XDTI1MTIw
ODAwMDAwMFoXDTI5MTIwODAwMDAwMFowZDE4MDYGA1UEAwwvTlZJRElBIEF0dGVz
dGF0aW9uIFNlcnZpY2UgR1BVIEludGVybWVkaWF0ZSAwMDQxGzAZBgNVBAoMEk5W
SURJQSBDb3Jwb3JhdGlvbjELMAkGA1UEBhMCVVMwggEiMA0GCSqGSIb3DQEBAQUA
A4IBDwAwggEKAoIBAQDCmOUQzlKU+iKzdXwJZBpjIwkO2ZhrbeevIScmqL6QdkZM
dj9FKxFResOdPoJA0IxMDwYFMy87MIJYV/hRAo9ut6q0OZiZwPFSfxqN+ZcDyFMk
YEnHvMgFaSuYxMiNWm9WcOcOih8FdX0s8qmkHq+NM48l8R7VNhX0HB2IZ2mxp4nH
/dxpFcbpRavaECEvLqbUSvSNAmg+xNCCVsihKPF/rksGZK1wky6E8HcydYxydK2M
P95dc5Ovqq80COxCPgsjgUN/JT9Gr9iNXaof9W2ZKqasCjADRfITS7N9SQsp7Jv6
UudT5tFbFKp7gCKwpjjUgQEUo3JkWTHiBuRrBZWFAgMBAAGjgecwgeQwDwYDVR0T
AQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwSAYDVR0fBEEwPzA9oDugOYY3aHR0
cDovL2NybC5uZGlzLm52aWRpYS5jb20vY3JsLW5yYXMvbnYtbnJhcy1sMS1yb290
LmNybDA3BggrBgEFBQcBAQQrMCkwJwYIKwYBBQUHMAGGG2h0dHA6Ly9vY3NwLm5k
aXMubnZpZGlhLmNvbTAdBgNVHQ4EFgQU+qgA049NpzpcZ2zfUTukavKMrt0wHwYD
VR0jBBgwFoAUvgpv7XnCSKqKNwsm9oU3MWxyBL8wCgYIKoZIzj0EAwMDZwAwZAIw
EaF8qbwlAoAWNm7WNnqdECSs9uQxqQkl1eQLKJIVEC+XsHTL2SGBrbUGlLX89zf/
AjAL0Xav/uW7dMhqSqqE86RiojGbZR5jRNtWAJIw/YH9yBAJ5ktCAqSSfrJ4qjzf
48U=
-----END CERTIFICATE-----
)";

Result<void> check_certified(const codec::JwtKey& key, const crypto::Certificate* authority, UnixSeconds time) {
  if (authority == nullptr || key.certificates.empty()) {
    return fail(ErrorCode::kBadCertificate, "it comes without a certificate of a pinned authority");
  }
  TRY(certificate, crypto::Certificate::from_der(key.certificates.front()));
  const Result<Bytes> point = certificate.ec_public_point();
  if (!point || *point != key.point) {
    return fail(ErrorCode::kBadCertificate, "the certificate next to it is about another key");
  }
  return crypto::verify_issued_by(certificate, *authority, time);
}

}  // namespace

const crypto::Certificate* pinned_nras_authority() {
  static const std::optional<crypto::Certificate> pinned = [] {
    const auto read = crypto::parse_pem_chain(as_bytes(kIntermediate004), 1);
    return read ? std::optional(read->front()) : std::nullopt;
  }();
  return pinned ? &*pinned : nullptr;
}

Result<Bytes> read_nras_key(std::string_view policy_text) {
  constexpr std::size_t kPointSize = 96;
  if (policy_text.starts_with(kNrasKeyPrefix)) {
    Result<Bytes> point = from_hex(policy_text.substr(kNrasKeyPrefix.size()));
    if (point && point->size() == kPointSize) return point;
  }
  return fail(ErrorCode::kUsage, "expected p384: and 192 hex digits of x and y");
}

Result<NrasKeys> NrasKeys::read(const Context& context, const crypto::Certificate* authority) {
  NrasKeys out;
  for (const std::string& text : context.policy.nvidia.nras_keys) {
    // Policies are parsed strictly; a text that is no key vouches for nothing.
    if (Result<Bytes> point = read_nras_key(text); point) out.policy_keys_.push_back(*std::move(point));
  }
  out.live_ = context.collateral.nras_jwks_live;
  out.present_ = !context.collateral.nras_jwks.empty();
  if (!out.present_) return out;
  TRY(keys, codec::parse_jwks(context.collateral.nras_jwks));
  for (auto& [id, key] : keys) {
    if (out.live_) {
      out.believed_.emplace(id, Believed{std::move(key.point), "live"});
    } else if (std::ranges::find(out.policy_keys_, key.point) != out.policy_keys_.end()) {
      out.believed_.emplace(id, Believed{std::move(key.point), "policy"});
    } else if (const auto certified = check_certified(key, authority, context.time); certified) {
      out.believed_.emplace(id, Believed{std::move(key.point), "pinned"});
    } else {
      out.unproven_.emplace(id, certified.error().message);
    }
  }
  return out;
}

NrasKeys::Judged NrasKeys::judge(const codec::Jwt& token) const {
  if (const auto key = believed_.find(token.key_id); key != believed_.end()) {
    if (const auto valid = codec::verify_jwt(token, key->second.point); !valid) {
      return {Finding::kInvalid, {}, valid.error().message};
    }
    return {Finding::kValid, key->second.source, {}};
  }
  for (const Bytes& point : policy_keys_) {
    if (codec::verify_jwt(token, point)) return {Finding::kValid, "policy", {}};
  }
  if (live_) return {Finding::kInvalid, {}, "the service's key set has no key for ES384 of the token's key id"};
  if (const auto why = unproven_.find(token.key_id); why != unproven_.end()) {
    return {Finding::kUnproven, {}, "nothing vouches for the key that signed it: " + why->second};
  }
  return {Finding::kUnproven,
          {},
          present_ ? "the key that signed it is not in the key set" : "the service's keys are not here"};
}

}  // namespace cloister::verify
