#include "crypto/x509_amd.h"

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "crypto/certificate_handles.h"

namespace cloister::crypto {
namespace {

constexpr std::size_t kChainLength = 3;
constexpr int kRsaBits = 4096;
constexpr std::size_t kMostCrlBytes = 1 << 20;

using CrlPtr = Handle<X509_CRL, X509_CRL_free>;

Error broken(std::size_t index, const std::string& what) {
  constexpr const char* kNames[kChainLength] = {"endorsement key", "signing key", "root key"};
  return fail(ErrorCode::kBadCertificate,
              "AMD certificate " + std::to_string(index + 1) + " (" + kNames[index] + "): " + what);
}

// The TLS flag is OpenSSL's name for: PSS, one digest for hash and mask, salt as long as the digest.
bool is_pss_sha384(const X509* certificate) {
  int digest = NID_undef;
  int kind = NID_undef;
  std::uint32_t flags = 0;
  X509* unconst = const_cast<X509*>(certificate);  // OpenSSL 3.0 caches its findings in it
  return X509_get_signature_info(unconst, &digest, &kind, nullptr, &flags) == 1 && digest == NID_sha384 &&
         kind == NID_rsassaPss && (flags & X509_SIG_INFO_TLS) != 0;
}

Result<void> check_window(const Certificate& certificate, std::size_t index, UnixSeconds time) {
  if (time < certificate.not_before()) {
    return broken(index, "valid from " + to_rfc3339(certificate.not_before()) + ", judged at " + to_rfc3339(time));
  }
  if (time > certificate.not_after()) {
    return broken(index, "valid until " + to_rfc3339(certificate.not_after()) + ", judged at " + to_rfc3339(time));
  }
  return {};
}

Result<void> check_key(const Certificate& certificate, std::size_t index) {
  if (!is_pss_sha384(certificate.impl().x509.get())) {
    return broken(index, "expected a signature by RSA-PSS with SHA-384 and a salt of 48 bytes");
  }
  if (index == 0) {
    const Result<Curve> curve = certificate.ec_curve();
    if (curve && *curve == Curve::kP384) return {};
    return broken(index, "expected a key on P-384");
  }
  const EVP_PKEY* key = certificate.impl().key();
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) != kRsaBits) {
    return broken(index, "expected an RSA key of 4096 bits");
  }
  return {};
}

Result<void> check_extensions(const Certificate& certificate, std::size_t index) {
  X509* x509 = certificate.impl().x509.get();
  for (int i = 0; i < X509_get_ext_count(x509); ++i) {
    X509_EXTENSION* extension = X509_get_ext(x509, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (X509_EXTENSION_get_critical(extension) != 0 && nid != NID_basic_constraints && nid != NID_key_usage) {
      return broken(index, "it has a critical extension that is not understood");
    }
  }
  const std::uint32_t flags = X509_get_extension_flags(x509);
  if ((flags & EXFLAG_INVALID) != 0) return broken(index, "an extension is malformed");
  if (((flags & EXFLAG_CA) != 0) != (index != 0)) return broken(index, index == 0 ? "it is a CA" : "it is no CA");
  if (index == 0) return {};
  if ((flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(x509) & KU_KEY_CERT_SIGN) == 0) {
    return broken(index, "its key usage does not include certificate signing");
  }
  const long path_length = X509_get_pathlen(x509);
  if (path_length >= 0 && static_cast<long>(index - 1) > path_length) {
    return broken(index, "its path length allows no further authority below it");
  }
  return {};
}

Result<void> check_issued(const Certificate& certificate, std::size_t index, const Certificate& issuer) {
  if (auto named = check_names_issuer(certificate, issuer); !named) return broken(index, named.error().message);
  if (!is_signed_by(certificate, issuer)) {
    return broken(index, "the signature does not verify under the next certificate's key");
  }
  return {};
}

Error bad_crl(const std::string& what) { return fail(ErrorCode::kBadCertificate, "AMD revocation list: " + what); }

std::optional<UnixSeconds> to_unix(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::chrono::year_month_day day(std::chrono::year(parts.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
  if (!day.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return days * 86400 + parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
}

Result<CrlPtr> parse_crl(ByteView der) {
  if (der.size() > kMostCrlBytes) return bad_crl("more than 1 MiB");
  const std::uint8_t* at = der.data();
  CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (crl == nullptr || at != der.data() + der.size()) return bad_crl("not a revocation list in DER");
  for (int i = 0; i < X509_CRL_get_ext_count(crl.get()); ++i) {
    // Critical ones change what the list covers (delta, one authority's part), and AMD uses none.
    if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl.get(), i)) != 0) return bad_crl("a critical extension");
  }
  if (X509_CRL_get_ext_by_NID(crl.get(), NID_delta_crl, -1) >= 0) return bad_crl("only a delta");
  return crl;
}

Result<AmdCrlWindow> check_crl_window(const X509_CRL* crl, UnixSeconds time) {
  const auto from = to_unix(X509_CRL_get0_lastUpdate(crl));
  const auto until = to_unix(X509_CRL_get0_nextUpdate(crl));
  if (!from || !until) return bad_crl("thisUpdate or nextUpdate is missing");
  if (time < *from || time >= *until) {
    return bad_crl("good from " + to_rfc3339(*from) + " until " + to_rfc3339(*until) + ", judged at " +
                   to_rfc3339(time));
  }
  return AmdCrlWindow{*from, *until};
}

}  // namespace

Result<void> verify_amd_certificate_chain(const std::vector<Certificate>& chain, const Certificate& root,
                                          UnixSeconds time) {
  if (chain.size() != kChainLength) {
    return fail(ErrorCode::kBadCertificate,
                "expected a chain of 3 AMD certificates, got " + std::to_string(chain.size()));
  }
  if (!equal(chain.back().impl().der, root.impl().der)) return broken(2, "not the pinned root");
  const ErrorQueueGuard guard;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    TRY_VOID(check_window(chain[i], i, time));
    TRY_VOID(check_key(chain[i], i));
    TRY_VOID(check_extensions(chain[i], i));
    TRY_VOID(check_issued(chain[i], i, chain[std::min(i + 1, chain.size() - 1)]));
  }
  return {};
}

Result<AmdCrlWindow> verify_amd_crl(ByteView der, const Certificate& root, const std::vector<Certificate>& issued,
                                    UnixSeconds time) {
  const ErrorQueueGuard guard;
  TRY(crl, parse_crl(der));
  X509* signer = root.impl().x509.get();
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl.get()), X509_get_subject_name(signer)) != 0) {
    return bad_crl("not issued by this root");
  }
  if (X509_CRL_get_signature_nid(crl.get()) != NID_rsassaPss || X509_CRL_verify(crl.get(), root.impl().key()) != 1) {
    return bad_crl("the signature does not verify under the root's key");
  }
  TRY(window, check_crl_window(crl.get(), time));
  std::vector<Certificate> covered = issued;
  covered.push_back(root);
  for (const Certificate& certificate : covered) {
    X509_REVOKED* entry = nullptr;
    if (X509_CRL_get0_by_cert(crl.get(), &entry, certificate.impl().x509.get()) != 0) {
      return fail(ErrorCode::kBadCertificate, "the certificate " + certificate.subject_common_name() + " is revoked");
    }
  }
  return window;
}

}  // namespace cloister::crypto
