// One simulated GPU: an attestation key with its certificate chain, and reports signed by it. Immutable once created.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/spdm.h"
#include "crypto/ecdsa.h"
#include "crypto/x509.h"

namespace cloister::gpu {

// The labels that crypto::EcKey::derive takes as well as the seed; those of a device end with the device's number.
constexpr std::string_view kAttestationKeyLabel = "cloister insecure simulator gpu attestation key v1 ";
constexpr std::string_view kDeviceKeyLabel = "cloister insecure simulator gpu device key v1 ";
constexpr std::string_view kProvisionerKeyLabel = "cloister insecure simulator gpu provisioner key v1";
constexpr std::string_view kModelKeyLabel = "cloister insecure simulator gpu model key v1";

// The certificates that all devices of one seed share.
struct DeviceIssuers {
  crypto::EcKey provisioner_key;
  std::string chain_pem;  // provisioner, model, root
};
Result<DeviceIssuers> make_device_issuers(ByteView seed);

class Device {
 public:
  static Result<Device> create(ByteView seed, int number, const DeviceIssuers& issuers);
  // SPDM request || response || signature. Each report has a responder nonce of its own.
  Bytes report(const ByteArray<32>& nonce) const;
  // PEM, leaf first, five certificates.
  const std::string& certificate_chain_pem() const { return certificate_chain_pem_; }

 private:
  Device(crypto::EcKey attestation_key, std::string certificate_chain_pem, codec::SpdmReport body);

  crypto::EcKey attestation_key_;
  std::string certificate_chain_pem_;
  codec::SpdmReport body_;  // everything but the nonces
};

}  // namespace cloister::gpu
