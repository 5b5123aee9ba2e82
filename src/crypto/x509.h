// X.509 certificates as attestation uses them: short chains under a pinned root, verified at an explicit time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/ecdsa.h"

namespace cloister::crypto {

class Certificate {
 public:
  // Accepts at most 64 KiB of DER, with nothing after it and no duplicate extension.
  static Result<Certificate> from_der(ByteView der);

  Bytes der() const;
  std::string to_pem() const;
  std::string subject_common_name() const;  // empty when there is none, or more than one
  std::string issuer_common_name() const;
  Bytes subject_public_key_info() const;  // DER
  // x || y of an EC key on P-256 or P-384; an error for any other key.
  Result<Bytes> ec_public_point() const;
  Result<Curve> ec_curve() const;
  // Seconds since 1970; 9999-12-31 does not overflow.
  UnixSeconds not_before() const;
  UnixSeconds not_after() const;
  bool is_ca() const;
  Bytes serial() const;  // big-endian magnitude
  // Value octets of the extension with this dotted OID.
  std::optional<Bytes> extension(std::string_view oid) const;

  // True for the same bytes.
  bool operator==(const Certificate& other) const;

  struct Impl;
  const Impl& impl() const { return *impl_; }  // opaque outside src/crypto

 private:
  explicit Certificate(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;  // immutable, so copies share it
};

// Parses concatenated PEM certificates; only white space and zero bytes may follow. At most `limit` of them.
Result<std::vector<Certificate>> parse_pem_chain(ByteView pem, std::size_t limit = 8);

// Which certificate was found to be signed by which. This is a fact about bytes, whoever brought them, so a link which
// several chains share is verified once. Safe for concurrent use as long as nobody adds a link.
class VerifiedLinks {
 public:
  bool holds(const Certificate& child, const Certificate& parent) const;
  void add(const Certificate& child, const Certificate& parent);

 private:
  struct Link {
    Certificate child, parent;
  };
  std::vector<Link> links_;
};

// Verifies a chain that runs leaf first and ends in `root`, byte for byte: each signature (except the root's own),
// issuer = subject of the parent, validity at `time`, CA flag and path length of issuers, leaf no CA, key usage
// certSign for issuers that state a key usage, all keys on `curve` and all signatures with its digest, no critical
// extension except basic constraints and key usage, no extra certificate. At most 8 certificates. Signatures that
// `links` holds are not verified again; newly verified ones are added to it.
Result<void> verify_certificate_chain(const std::vector<Certificate>& chain, const Certificate& root, Curve curve,
                                      UnixSeconds time, VerifiedLinks* links = nullptr);
// The two halves of it: what stays true at any time, and the validity of each certificate at `time`. The chain may also
// begin with a CA, as the issuer chain of a revocation list does: then the rules for issuers apply to everything in it.
enum class ChainStart { kEndEntity, kAuthority };
Result<void> check_chain_links(const std::vector<Certificate>& chain, const Certificate& root, Curve curve,
                               VerifiedLinks* links = nullptr, ChainStart start = ChainStart::kEndEntity);
Result<void> check_chain_validity(const std::vector<Certificate>& chain, UnixSeconds time);

struct CertificateExtension {
  std::string oid;  // dotted
  bool critical = false;
  Bytes value;  // DER
};

struct CertificateSpec {
  std::string subject_common_name;
  std::string issuer_common_name;
  std::string organization;  // put in both names
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  Bytes serial;  // 1 to 20 bytes, big-endian; the top bit of 20 bytes is cleared (RFC 5280)
  bool is_ca = false;
  std::optional<int> path_length;
  std::vector<std::string> dns_names;  // subjectAltName, for TLS leaves; IP addresses as text are accepted too
  std::vector<CertificateExtension> extensions;
};

// Issues a certificate for the public half of `subject_key`, signed by `issuer_key` (SHA-256 or SHA-384 by its curve).
// Deterministic: the same arguments give the same bytes.
Result<Certificate> issue_certificate(const CertificateSpec& spec, const EcKey& subject_key, const EcKey& issuer_key);

}  // namespace cloister::crypto
