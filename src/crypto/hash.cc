#include "crypto/hash.h"

#include <cryptopp/keccak.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "crypto/openssl_handles.h"

namespace cloister::crypto {

void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "fatal: the cryptographic library failed: %s\n", what);
  std::abort();
}

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  require(algorithm != nullptr, "SHA-256 is not available");
  return algorithm;
}

const EVP_MD* sha384_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
  require(algorithm != nullptr, "SHA-384 is not available");
  return algorithm;
}

namespace {

const EVP_MD* sha512_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  require(algorithm != nullptr, "SHA-512 is not available");
  return algorithm;
}

template <std::size_t N>
ByteArray<N> digest(const EVP_MD* algorithm, ByteView bytes) {
  // One context for each thread: making one costs more than hashing a short text.
  thread_local const DigestCtxPtr context(EVP_MD_CTX_new());
  require(context != nullptr, "no memory for a digest");
  ByteArray<N> out;
  require(EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1 &&
              EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
              EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1,
          "digest");
  return out;
}

OSSL_PARAM octets(const char* key, ByteView bytes) {
  // OpenSSL takes the pointer as mutable but only reads it; an empty view still needs a non-null address.
  static std::uint8_t nothing = 0;
  void* data = bytes.empty() ? &nothing : const_cast<std::uint8_t*>(bytes.data());
  return OSSL_PARAM_construct_octet_string(key, data, bytes.size());
}

}  // namespace

Sha384Digest sha384(ByteView bytes) { return digest<48>(sha384_algorithm(), bytes); }
ByteArray<64> sha512(ByteView bytes) { return digest<64>(sha512_algorithm(), bytes); }

ByteArray<32> keccak256(ByteView bytes) {
  CryptoPP::Keccak_256 hash;
  ByteArray<32> out;
  hash.CalculateDigest(out.data(), bytes.data(), bytes.size());
  return out;
}

struct Sha256::State {
  DigestCtxPtr context{EVP_MD_CTX_new()};

  void start() {
    require(context != nullptr && EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1, "SHA-256 start");
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) { state_->start(); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1, "SHA-256 update");
}

Sha256Digest Sha256::finish() {
  Sha256Digest out;
  require(EVP_DigestFinal_ex(state_->context.get(), out.data(), nullptr) == 1, "SHA-256 finish");
  state_->start();
  return out;
}

SecretBytes hkdf_sha256(ByteView input_key, ByteView salt, std::string_view info, std::size_t length) {
  static EVP_KDF* const algorithm = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  require(algorithm != nullptr, "HKDF is not available");
  const Handle<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(algorithm));
  char digest_name[] = "SHA2-256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
      octets(OSSL_KDF_PARAM_KEY, input_key),
      octets(OSSL_KDF_PARAM_SALT, salt),
      octets(OSSL_KDF_PARAM_INFO, as_bytes(info)),
      OSSL_PARAM_construct_end(),
  };
  Bytes out(length);
  require(context != nullptr && EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1, "HKDF");
  SecretBytes secret(out);
  explicit_bzero(out.data(), out.size());
  return secret;
}

void fill_random(std::span<std::uint8_t> out) {
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  while (!out.empty()) {
    const std::size_t count = std::min(out.size(), kMost);
    require(RAND_bytes(out.data(), static_cast<int>(count)) == 1, "no randomness");
    out = out.subspan(count);
  }
}

void fill_random_id(std::span<std::uint8_t> out) {
  struct Reserve {
    ByteArray<2048> bytes;
    std::size_t used = 2048;
  };
  thread_local Reserve reserve;
  if (out.size() > reserve.bytes.size()) return fill_random(out);
  if (out.size() > reserve.bytes.size() - reserve.used) {
    fill_random(reserve.bytes);
    reserve.used = 0;
  }
  std::copy_n(reserve.bytes.begin() + static_cast<std::ptrdiff_t>(reserve.used), out.size(), out.begin());
  reserve.used += out.size();
}

Bytes random_bytes(std::size_t count) {
  Bytes out(count);
  fill_random(out);
  return out;
}

}  // namespace cloister::crypto
