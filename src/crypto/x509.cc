#include "crypto/x509.h"

#include <openssl/provider.h>

#include <chrono>
#include <set>

#include "base/encoding.h"
#include "crypto/certificate_handles.h"
#include "crypto/known_certificates.h"

namespace cloister::crypto {
namespace {

constexpr std::size_t kMostCertificateBytes = 64 * 1024;
constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kPemEnd = "-----END CERTIFICATE-----";

// RFC 5280, 4.2: no more than one instance of an extension. It would be unclear which of two counts.
Result<void> check_extensions_unique(const X509* certificate) {
  std::set<Bytes> seen;
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    const ASN1_OBJECT* oid = X509_EXTENSION_get_object(X509_get_ext(certificate, i));
    const ByteView octets(OBJ_get0_data(oid), OBJ_length(oid));
    if (!seen.insert(to_bytes(octets)).second) {
      return fail(ErrorCode::kBadCertificate, "the certificate holds an extension twice");
    }
  }
  return {};
}

// A library context without any algorithm. When OpenSSL 3.0 parses a certificate, it tries all its decoders on the public key,
// which costs five times as much as everything else. So it gets none; read_certificate_key() extracts the key. Never freed.
OSSL_LIB_CTX* keyless_library() {
  static OSSL_LIB_CTX* const context = [] {
    OSSL_LIB_CTX* made = OSSL_LIB_CTX_new();
    require(made != nullptr && OSSL_PROVIDER_load(made, "null") != nullptr, "library context");
    return made;
  }();
  return context;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void skip_space(std::string_view& text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

// Parses one certificate from the front of `text`, which starts with the BEGIN line.
Result<Certificate> take_pem(std::string_view& text, std::size_t number, const std::vector<Certificate>& known) {
  const std::string where = "certificate " + std::to_string(number) + " of the PEM chain";
  if (!text.starts_with(kPemBegin)) {
    return fail(ErrorCode::kBadCertificate, "expected a BEGIN CERTIFICATE line at " + where);
  }
  text.remove_prefix(kPemBegin.size());
  const std::size_t end = text.find(kPemEnd);
  if (end == std::string_view::npos) {
    return fail(ErrorCode::kBadCertificate, where + " has no END CERTIFICATE line");
  }
  std::string digits(end, '\0');
  std::size_t count = 0;
  for (const char c : text.substr(0, end)) {
    digits[count] = c;
    count += is_space(c) ? 0 : 1;
  }
  digits.resize(count);
  text.remove_prefix(end + kPemEnd.size());
  Result<Bytes> der = from_base64(digits);
  if (!der) return fail(ErrorCode::kBadCertificate, where + ": " + der.error().message);
  for (const Certificate& candidate : known) {
    if (candidate.impl().der == *der) return candidate;
  }
  return Certificate::from_der(*der);
}

}  // namespace

std::string common_name(const X509_NAME* name) {
  const int first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, first) >= 0) return {};
  std::uint8_t* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, first)));
  if (size < 0) return {};
  std::string out(as_text({utf8, static_cast<std::size_t>(size)}));
  OPENSSL_free(utf8);
  return out;
}

Result<UnixSeconds> to_unix(const ASN1_TIME* time, const char* name) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return fail(ErrorCode::kBadCertificate, std::string("the ") + name + " is not a time");
  }
  const std::chrono::year_month_day day(std::chrono::year(parts.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
  if (!day.ok()) {
    return fail(ErrorCode::kBadCertificate, std::string("the ") + name + " is not a date");
  }
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return days * 86400 + parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
}

Certificate::Certificate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Result<Certificate> Certificate::from_der(ByteView der) {
  if (der.size() > kMostCertificateBytes) {
    return fail(ErrorCode::kBadCertificate, "a certificate has at most 65536 bytes, got " + std::to_string(der.size()));
  }
  const ErrorQueueGuard guard;
  const std::uint8_t* at = der.data();
  X509* x509_raw = X509_new_ex(keyless_library(), nullptr);
  require(x509_raw != nullptr, "no memory for a certificate");
  // It frees the object and makes it null when it fails.
  d2i_X509(&x509_raw, &at, static_cast<long>(der.size()));
  X509Ptr x509(x509_raw);
  if (x509 == nullptr) return fail(ErrorCode::kBadCertificate, "not an X.509 certificate in DER");
  if (at != der.data() + der.size()) return fail(ErrorCode::kBadCertificate, "bytes follow the certificate");
  TRY_VOID(check_extensions_unique(x509.get()));
  TRY(not_before, to_unix(X509_get0_notBefore(x509.get()), "certificate's notBefore"));
  TRY(not_after, to_unix(X509_get0_notAfter(x509.get()), "certificate's notAfter"));
  CertificateKey key = read_certificate_key(x509.get());
  return Certificate(
      std::shared_ptr<const Impl>(new Impl{std::move(x509), to_bytes(der), not_before, not_after, std::move(key)}));
}

bool Certificate::operator==(const Certificate& other) const {
  return impl_ == other.impl_ || impl_->der == other.impl_->der;
}

Bytes Certificate::der() const { return impl_->der; }

std::string Certificate::to_pem() const {
  const std::string digits = to_base64(impl_->der);
  std::string out(kPemBegin);
  out += '\n';
  for (std::size_t i = 0; i < digits.size(); i += 64) out.append(digits, i, 64).append(1, '\n');
  return out.append(kPemEnd).append(1, '\n');
}

std::string Certificate::subject_common_name() const { return common_name(X509_get_subject_name(impl_->x509.get())); }

std::string Certificate::issuer_common_name() const { return common_name(X509_get_issuer_name(impl_->x509.get())); }

Bytes Certificate::subject_public_key_info() const {
  std::uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(impl_->x509.get()), &der);
  require(size > 0, "public key encoding");
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Result<Bytes> Certificate::ec_public_point() const {
  if (!impl_->public_key.curve) return impl_->public_key.curve.error();
  return impl_->public_key.point;
}

Result<Curve> Certificate::ec_curve() const { return impl_->public_key.curve; }

UnixSeconds Certificate::not_before() const { return impl_->not_before; }
UnixSeconds Certificate::not_after() const { return impl_->not_after; }

bool Certificate::is_ca() const {
  const ErrorQueueGuard guard;
  return (X509_get_extension_flags(impl_->x509.get()) & EXFLAG_CA) != 0;
}

Bytes Certificate::serial() const {
  const BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(impl_->x509.get()), nullptr));
  require(number != nullptr, "no memory for a serial number");
  Bytes out(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), out.data());
  return out;
}

std::optional<Bytes> Certificate::extension(std::string_view oid) const {
  const ErrorQueueGuard guard;
  const Handle<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(std::string(oid).c_str(), 1));
  if (object == nullptr) return std::nullopt;
  const int index = X509_get_ext_by_OBJ(impl_->x509.get(), object.get(), -1);
  if (index < 0) return std::nullopt;
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(impl_->x509.get(), index));
  return to_bytes({ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))});
}

Result<std::vector<Certificate>> parse_pem_chain(ByteView pem, std::size_t limit) {
  return parse_pem_chain_with({}, pem, limit);
}

Result<std::vector<Certificate>> parse_pem_chain_with(const std::vector<Certificate>& known, ByteView pem,
                                                      std::size_t limit) {
  std::string_view text = as_text(pem);
  // NVML counts the zero bytes of its buffer, and services pass them on; nothing else may follow the last certificate.
  while (text.ends_with('\0') || text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ') ||
         text.ends_with('\t')) {
    text.remove_suffix(1);
  }
  std::vector<Certificate> chain;
  for (skip_space(text); !text.empty(); skip_space(text)) {
    if (chain.size() == limit) {
      return fail(ErrorCode::kBadCertificate, "expected at most " + std::to_string(limit) + " certificates, got more");
    }
    TRY(certificate, take_pem(text, chain.size() + 1, known));
    chain.push_back(std::move(certificate));
  }
  if (chain.empty()) return fail(ErrorCode::kBadCertificate, "expected at least one PEM certificate, got none");
  return chain;
}

}  // namespace cloister::crypto
