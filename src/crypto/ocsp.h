// OCSP (RFC 6960), as far as NVIDIA's revocation service needs it: requests for one certificate each, and responses
// that are verified at an explicit time. No network: other code carries the bytes.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace cloister::crypto {

// DER of a request about `certificate`, which `issuer` issued: CertID with SHA-384, `nonce` of 1 to 32 bytes or none.
Result<Bytes> make_ocsp_request(const Certificate& certificate, const Certificate& issuer, ByteView nonce);

enum class OcspStatus { kGood, kRevoked, kOnHold, kUnknown };  // kOnHold: revoked with the reason certificateHold
std::string_view to_text(OcspStatus status);                   // "good", "revoked", "certificate hold", "unknown"

struct OcspAnswer {
  OcspStatus status = OcspStatus::kUnknown;
  UnixSeconds this_update = 0;
  std::optional<UnixSeconds> next_update;
  std::optional<Bytes> nonce;
  // The validity of a responder that signs for the issuer, whose certificate is short-lived. Absent when the issuer signed.
  std::optional<UnixSeconds> signer_not_before, signer_not_after;
};

// Checks that thisUpdate <= time < nextUpdate, and that the signer's certificate is valid then; an answer without
// nextUpdate has no end here.
Result<void> check_ocsp_window(const OcspAnswer& answer, UnixSeconds time);

class OcspResponse {
 public:
  // Accepts at most 64 KiB of DER with nothing after it, the status `successful`, the basic kind, at most 16 answers.
  static Result<OcspResponse> from_der(ByteView der);

  // True when it answers for `certificate`, which `issuer` issued: the CertID is equal, with SHA-1, SHA-256 or SHA-384.
  bool is_about(const Certificate& certificate, const Certificate& issuer) const;
  // Returns the answer for `certificate`, after these checks: there is exactly one answer about it; the signature is
  // ECDSA with the digest of its curve, by `issuers[0]` or by a responder whose certificate comes with the response, is
  // no CA, is meant for signing OCSP responses (extended key usage) and was issued by one of `issuers`. `issuers` are
  // the CAs above the certificate, its own issuer first, up to and with the root; other code verifies their chain. No
  // critical extension. The caller checks the status and whether the answer is valid at `time`.
  Result<OcspAnswer> verify(const Certificate& certificate, std::span<const Certificate> issuers,
                            VerifiedLinks* cache = nullptr) const;

 private:
  struct Impl;
  explicit OcspResponse(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

// What make_ocsp_response puts into a response.
struct OcspResponseSpec {
  OcspStatus status = OcspStatus::kGood;
  UnixSeconds this_update = 0;
  std::optional<UnixSeconds> next_update;
  Bytes nonce;                        // empty = none
  std::vector<Certificate> included;  // the responder's certificate first, when it is not the issuer
};

// A response about `certificate` signed by `responder_key`, whose certificate is `responder`. For simulators and tests.
Result<Bytes> make_ocsp_response(const OcspResponseSpec& spec, const Certificate& certificate,
                                 const Certificate& issuer, const Certificate& responder, const EcKey& responder_key);

}  // namespace cloister::crypto
