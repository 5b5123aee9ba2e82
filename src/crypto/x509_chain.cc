#include <algorithm>

#include "base/clock.h"
#include "crypto/certificate_handles.h"
#include "crypto/x509.h"

namespace cloister::crypto {
namespace {

constexpr std::size_t kMostCertificates = 8;

Error broken(std::size_t index, const Certificate& certificate, const std::string& what) {
  std::string name;
  // The name comes from outside, so only characters that are harmless on a terminal are printed.
  for (const char c : certificate.subject_common_name().substr(0, 64)) name.push_back(c >= ' ' && c <= '~' ? c : '?');
  return fail(ErrorCode::kBadCertificate,
              "certificate " + std::to_string(index + 1) + " of the chain (" + name + "): " + what);
}

Result<void> check_validity(const Certificate& certificate, std::size_t index, UnixSeconds time) {
  if (time < certificate.not_before()) {
    return broken(index, certificate,
                  "valid from " + to_rfc3339(certificate.not_before()) + ", judged at " + to_rfc3339(time));
  }
  if (time > certificate.not_after()) {
    return broken(index, certificate,
                  "valid until " + to_rfc3339(certificate.not_after()) + ", judged at " + to_rfc3339(time));
  }
  return {};
}

// Only the two extensions that this file enforces may be critical (RFC 5280, 4.2): OpenSSL's own list of known ones
// also has some, such as name constraints, that only its path builder enforces.
Result<void> check_critical_extensions(const Certificate& certificate, std::size_t index) {
  const X509* x509 = certificate.impl().x509.get();
  for (int i = 0; i < X509_get_ext_count(x509); ++i) {
    X509_EXTENSION* extension = X509_get_ext(x509, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (X509_EXTENSION_get_critical(extension) != 0 && nid != NID_basic_constraints && nid != NID_key_usage) {
      char oid[128] = {};
      OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(extension), 1);
      return broken(index, certificate, std::string("the critical extension ") + oid + " is not understood");
    }
  }
  return {};
}

Result<void> check_key(const Certificate& certificate, std::size_t index, Curve curve) {
  const Result<Curve> own = certificate.ec_curve();
  if (!own) return broken(index, certificate, own.error().message);
  if (*own != curve) {
    return broken(index, certificate,
                  std::string("expected a key on ") + curve_name(curve) + ", got one on " + curve_name(*own));
  }
  const int expected = curve == Curve::kP256 ? NID_ecdsa_with_SHA256 : NID_ecdsa_with_SHA384;
  const int actual = X509_get_signature_nid(certificate.impl().x509.get());
  if (actual != expected) {
    const char* name = OBJ_nid2sn(actual);
    return broken(index, certificate,
                  std::string("expected the signature algorithm ") + OBJ_nid2sn(expected) + ", got " +
                      (name == nullptr ? "an unknown one" : name));
  }
  return {};
}

// `index` counts from the leaf, so `index - 1` certificates stand between this issuer and the leaf. With `start`
// kAuthority the leaf is not in the chain, and the indexes are those of a chain that has one.
Result<void> check_role(const Certificate& certificate, std::size_t position, ChainStart start) {
  const std::size_t index = start == ChainStart::kAuthority ? position + 1 : position;
  X509* x509 = certificate.impl().x509.get();
  const std::uint32_t flags = X509_get_extension_flags(x509);
  if ((flags & EXFLAG_INVALID) != 0) return broken(position, certificate, "an extension is malformed");
  const bool ca = (flags & EXFLAG_CA) != 0;
  if (index == 0) {
    if (ca) return broken(position, certificate, "expected an end entity, got a CA");
    return {};
  }
  if (!ca) return broken(position, certificate, "expected a CA, got an end entity");
  if ((flags & EXFLAG_KUSAGE) != 0 && (X509_get_key_usage(x509) & KU_KEY_CERT_SIGN) == 0) {
    return broken(position, certificate, "its key usage does not include certificate signing");
  }
  const long path_length = X509_get_pathlen(x509);
  if (path_length >= 0 && static_cast<long>(index - 1) > path_length) {
    return broken(position, certificate,
                  "its path length allows " + std::to_string(path_length) + " CAs below it, the chain has " +
                      std::to_string(index - 1));
  }
  return {};
}

Result<void> check_issued(const Certificate& certificate, std::size_t index, const Certificate& issuer) {
  if (auto named = check_names_issuer(certificate, issuer); !named) {
    return broken(index, certificate, named.error().message);
  }
  if (!is_signed_by(certificate, issuer)) {
    return broken(index, certificate, "the signature does not verify under the next certificate's key");
  }
  return {};
}

}  // namespace

bool VerifiedLinks::holds(const Certificate& child, const Certificate& parent) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const Link& link) { return link.child == child && link.parent == parent; });
}

void VerifiedLinks::add(const Certificate& child, const Certificate& parent) { links_.push_back({child, parent}); }

Result<void> check_chain_links(const std::vector<Certificate>& chain, const Certificate& root, Curve curve,
                               VerifiedLinks* links, ChainStart start) {
  if (chain.size() < 2 || chain.size() > kMostCertificates) {
    return fail(ErrorCode::kBadCertificate, "expected a chain of 2 to " + std::to_string(kMostCertificates) +
                                                " certificates, got " + std::to_string(chain.size()));
  }
  if (!equal(chain.back().impl().der, root.impl().der)) {
    return broken(chain.size() - 1, chain.back(), "not the pinned root");
  }
  const ErrorQueueGuard guard;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    TRY_VOID(check_critical_extensions(chain[i], i));
    TRY_VOID(check_key(chain[i], i, curve));
    TRY_VOID(check_role(chain[i], i, start));
  }
  // The root is skipped: it equals the pinned one byte for byte, and its own signature would add nothing to that.
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    if (links != nullptr && links->holds(chain[i], chain[i + 1])) continue;
    TRY_VOID(check_issued(chain[i], i, chain[i + 1]));
    if (links != nullptr) links->add(chain[i], chain[i + 1]);
  }
  return {};
}

Result<void> check_chain_validity(const std::vector<Certificate>& chain, UnixSeconds time) {
  for (std::size_t i = 0; i < chain.size(); ++i) TRY_VOID(check_validity(chain[i], i, time));
  return {};
}

Result<void> verify_certificate_chain(const std::vector<Certificate>& chain, const Certificate& root, Curve curve,
                                      UnixSeconds time, VerifiedLinks* links) {
  TRY_VOID(check_chain_links(chain, root, curve, links));
  return check_chain_validity(chain, time);
}

}  // namespace cloister::crypto
