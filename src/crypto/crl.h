// X.509 revocation lists (RFC 5280, section 5) as attestation services publish them: complete, about one issuer. Their
// caller verifies them at an explicit time.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace cloister::crypto {

class Crl {
 public:
  // Accepts at most 4 MiB of DER with nothing after it. Refused, since an entry could then mean something else or be
  // missing: delta and indirect lists, critical extensions other than CRL number, authority key identifier and (of an
  // entry) reason code, a duplicate extension, a list without nextUpdate.
  static Result<Crl> from_der(ByteView der);

  std::string issuer_common_name() const;  // empty when there is none, or more than one
  UnixSeconds this_update() const;
  UnixSeconds next_update() const;
  std::size_t size() const;  // revoked certificates
  // True when it is about certificates of this one's issuer: the issuer names are the same.
  bool covers(const Certificate& certificate) const;
  // True when the serial number is listed, compared as an integer. It is meaningful only when the list covers the certificate.
  bool lists(const Certificate& certificate) const;
  // Verifies that `issuer` made this list: its subject is the list's issuer, its key usage (if it states one) allows
  // signing lists, and the signature verifies with its key, which is on `curve`, and the digest of that curve.
  Result<void> verify(const Certificate& issuer, Curve curve) const;

 private:
  struct Impl;
  explicit Crl(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;  // immutable, so copies share it
};

// Returns the DER of a list that was served as DER, as hex of DER (with a line end, perhaps) or as one PEM block.
Result<Bytes> decode_crl(ByteView served);

}  // namespace cloister::crypto
