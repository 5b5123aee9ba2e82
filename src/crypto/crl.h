// X.509 revocation lists (RFC 5280, section 5) as attestation services publish them: complete, about one issuer,
// judged at an explicit time by their caller.
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
  // At most 4 MiB of DER, nothing after it. Refused, since an entry could then mean something else or be missing:
  // delta and indirect lists, critical extensions other than CRL number, authority key identifier and (of an entry)
  // reason code, an extension twice, a list without nextUpdate.
  static Result<Crl> from_der(ByteView der);

  std::string issuer_common_name() const;  // empty when there is none, or more than one
  UnixSeconds this_update() const;
  UnixSeconds next_update() const;
  std::size_t size() const;  // revoked certificates
  // Whether it speaks about certificates of this one's issuer: the issuer names are the same.
  bool covers(const Certificate& certificate) const;
  // Whether the serial number is listed, compared as an integer. Only of use when the list covers the certificate.
  bool lists(const Certificate& certificate) const;
  // `issuer` made this list: its subject is the list's issuer, its key usage (if it states one) allows signing lists,
  // and the signature verifies under its key, which is on `curve`, with the digest of that curve.
  Result<void> verify(const Certificate& issuer, Curve curve) const;

 private:
  struct Impl;
  explicit Crl(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;  // never changes, so copies share it
};

// The DER of a revocation list that was served as DER, as hex of it (with a line end, perhaps) or as one PEM block.
Result<Bytes> decode_crl(ByteView served);

}  // namespace cloister::crypto
