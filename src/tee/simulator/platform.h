// The simulated machine below the guest: a platform key with its certificate chain, a quoting enclave and its
// attestation key, all derived from the seed. It signs quotes and knows nothing of their content. Immutable once
// created, so any thread may call it.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/tdx_quote.h"
#include "crypto/ecdsa.h"

namespace cloister::tee {

// The label that crypto::EcKey::derive takes as well as the seed.
constexpr std::string_view kPckKeyLabel = "cloister insecure simulator pck key v1";
constexpr std::string_view kPckCaKeyLabel = "cloister insecure simulator pck ca key v1";
constexpr std::string_view kAttestationKeyLabel = "cloister insecure simulator attestation key v1";

// `size` bytes that stand for some value of this machine.
Bytes simulated_bytes(ByteView seed, std::string_view label, std::size_t size);
template <std::size_t N>
ByteArray<N> simulated_array(ByteView seed, std::string_view label) {
  ByteArray<N> out;
  const Bytes bytes = simulated_bytes(seed, label, N);
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

class Platform {
 public:
  static Result<Platform> create(ByteView seed);
  // A version 4 quote of this report.
  Bytes quote(const codec::TdReport& report) const;
  // PEM: PCK leaf, intermediate, root.
  const std::string& pck_chain_pem() const { return pck_chain_pem_; }

 private:
  Platform(crypto::EcKey attestation_key, std::string pck_chain_pem, Bytes qe_report, ByteArray<64> qe_signature);

  crypto::EcKey attestation_key_;
  ByteArray<64> attestation_point_{};
  std::string pck_chain_pem_;
  Bytes qe_report_;
  ByteArray<64> qe_report_signature_{};
};

}  // namespace cloister::tee
