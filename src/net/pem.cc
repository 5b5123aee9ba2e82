#include "net/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace cloister::net {
namespace {

struct BioDelete {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct CertificateDelete {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyDelete {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, CertificateDelete>;

// Answers OpenSSL's question for a password with none.
int no_password(char*, int, int, void*) { return 0; }

std::unique_ptr<BIO, BioDelete> reader_of(std::string_view pem) {
  return std::unique_ptr<BIO, BioDelete>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Calls `take` with each certificate. False when `take` refuses one, and when the text ends within one.
template <class Take>
bool each_certificate(BIO* text, Take take) {
  ERR_clear_error();
  for (;;) {
    const Certificate next(PEM_read_bio_X509(text, nullptr, no_password, nullptr));
    if (next == nullptr) break;
    if (!take(next.get())) return false;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end;
}

}  // namespace

bool use_chain(SSL_CTX* context, std::string_view pem) {
  const auto text = reader_of(pem);
  const Certificate leaf(PEM_read_bio_X509_AUX(text.get(), nullptr, no_password, nullptr));
  if (leaf == nullptr || SSL_CTX_use_certificate(context, leaf.get()) != 1) return false;
  SSL_CTX_clear_chain_certs(context);
  return each_certificate(text.get(), [&](X509* next) { return SSL_CTX_add1_chain_cert(context, next) == 1; });
}

bool use_key(SSL_CTX* context, std::string_view pem) {
  const auto text = reader_of(pem);
  const std::unique_ptr<EVP_PKEY, KeyDelete> key(PEM_read_bio_PrivateKey(text.get(), nullptr, no_password, nullptr));
  return key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
}

bool add_certificates(X509_STORE* store, std::string_view pem) {
  const auto text = reader_of(pem);
  int count = 0;
  const bool whole = each_certificate(text.get(), [&](X509* next) {
    ++count;
    return X509_STORE_add_cert(store, next) == 1;
  });
  return whole && count > 0;
}

}  // namespace cloister::net
