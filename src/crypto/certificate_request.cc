#include "crypto/certificate_request.h"

#include <openssl/pem.h>

#include <algorithm>
#include <cctype>

#include "crypto/certificate_handles.h"

namespace cloister::crypto {
namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035, section 2.3.4, without the dots at the ends

using RequestPtr = Handle<X509_REQ, X509_REQ_free>;

bool is_host(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return false;
  if (name.starts_with("*.")) name.remove_prefix(2);
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
  return plain && !name.empty() && name.front() != '.' && name.back() != '.';
}

bool is_address(const std::string& name) {
  const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> address(a2i_IPADDRESS(name.c_str()));
  return address != nullptr;
}

Result<void> add_names(X509_REQ* request, const std::vector<std::string>& names) {
  ExtensionPtr extension = make_alternative_names(names);
  if (extension == nullptr) return fail(ErrorCode::kUsage, "the names of the certificate request cannot be encoded");
  X509_EXTENSIONS* const list = sk_X509_EXTENSION_new_null();
  require(list != nullptr && sk_X509_EXTENSION_push(list, extension.get()) > 0, "no memory for names");
  const bool added = X509_REQ_add_extensions(request, list) == 1;
  sk_X509_EXTENSION_free(list);  // frees the list alone, since the extension has an owner
  require(added, "names of the certificate request");
  return {};
}

}  // namespace

Result<std::string> make_certificate_request(const EcKey& key, const std::vector<std::string>& names) {
  if (names.empty()) return fail(ErrorCode::kUsage, "a certificate request needs the name of the host");
  for (const std::string& name : names) {
    if (is_host(name) || is_address(name)) continue;
    return fail(ErrorCode::kUsage, "expected a host name or an IP address for the certificate request, got \"" +
                                       name.substr(0, kLongestName) + "\"");
  }
  const ErrorQueueGuard guard;
  EVP_PKEY* const pkey = key.impl().key.get();
  const RequestPtr request(X509_REQ_new());
  require(request != nullptr && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
              X509_REQ_set_pubkey(request.get(), pkey) == 1,
          "new certificate request");
  TRY_VOID(add_names(request.get(), names));
  const EVP_MD* const digest = key.curve() == Curve::kP256 ? EVP_sha256() : EVP_sha384();
  require(X509_REQ_sign(request.get(), pkey, digest) > 0, "signature of the certificate request");
  const BioPtr out(BIO_new(BIO_s_mem()));
  require(out != nullptr && PEM_write_bio_X509_REQ(out.get(), request.get()) == 1, "certificate request as PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace cloister::crypto
