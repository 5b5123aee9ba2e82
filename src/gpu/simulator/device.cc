#include "gpu/simulator/device.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "evidence/simulator_roots.h"

namespace cloister::gpu {
namespace {

using codec::OpaqueField;
using crypto::Curve;
using crypto::EcKey;

// TCG DICE CompositeDeviceID; in Hopper's leaf certificate the extension ends with the digest of the firmware.
constexpr std::string_view kFwidOid = "2.23.133.5.4.1";
constexpr std::string_view kSalt = "cloister.insecure_simulator.gpu.v1";
constexpr std::string_view kModelName = "INSECURE SIMULATOR GH100 Identity";
constexpr std::string_view kProvisionerName = "INSECURE SIMULATOR GH100 Provisioner ICA 1";
constexpr std::string_view kDeviceName = "INSECURE SIMULATOR GH100 A01 GSP BROM";
constexpr std::string_view kAttestationName = "INSECURE SIMULATOR GH100 A01 GSP FMC LF";
// 2024-01-01 to 9999-12-31T23:59:59: genuine device certificates have the same end.
constexpr UnixSeconds kNotBefore = 1704067200;
constexpr UnixSeconds kNotAfter = 253402300799;
constexpr int kMeasurementCount = 64;

ByteArray<48> labelled(const std::string& what) {
  return crypto::sha384(as_bytes("cloister insecure simulator gpu " + what));
}

ByteArray<48> firmware_digest() { return labelled("firmware"); }

// SEQUENCE { OID 2.16.840.1.101.3.4.2.2 (SHA-384), OCTET STRING of 48 bytes }.
Bytes fwid_extension() {
  Bytes out = {0x30, 0x3d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x04, 0x30};
  append(out, firmware_digest());
  return out;
}

crypto::CertificateSpec certificate_spec(ByteView seed, std::string_view subject, std::string_view issuer, bool is_ca,
                                         const std::string& serial_label) {
  crypto::CertificateSpec spec;
  spec.subject_common_name = subject;
  spec.issuer_common_name = issuer;
  spec.not_before = kNotBefore;
  spec.not_after = kNotAfter;
  spec.serial = to_bytes(crypto::hkdf_sha256(seed, as_bytes(kSalt), serial_label, 16).expose());
  spec.is_ca = is_ca;
  return spec;
}

// Text fields end with a NUL on genuine devices.
Bytes text_field(std::string_view text) {
  Bytes out = to_bytes(as_bytes(text));
  out.push_back(0);
  return out;
}

codec::SpdmReport report_body() {
  codec::SpdmReport body;
  for (int i = 1; i <= kMeasurementCount; ++i) {
    const ByteArray<48> value = labelled("measurement " + std::to_string(i));
    body.measurements.push_back({static_cast<std::uint8_t>(i), Bytes(value.begin(), value.end())});
  }
  const auto set = [&body](OpaqueField field, Bytes value) {
    body.opaque[static_cast<std::uint16_t>(field)] = std::move(value);
  };
  set(OpaqueField::kDriverVersion, text_field("550.144.03"));
  set(OpaqueField::kVbiosVersion, {0x00, 0xa5, 0x00, 0x96, 0x01, 0x00, 0x00, 0x00});  // prints as 96.00.A5.00.01
  set(OpaqueField::kChipSku, text_field("885"));
  set(OpaqueField::kChipSkuMod, text_field("0"));
  set(OpaqueField::kProject, text_field("SIMULATOR"));
  set(OpaqueField::kProjectSku, text_field("0000"));
  set(OpaqueField::kProjectSkuMod, text_field(""));
  const ByteArray<48> firmware = firmware_digest();
  set(OpaqueField::kFwid, Bytes(firmware.begin(), firmware.end()));
  set(OpaqueField::kOpaqueDataVersion, {1, 0});
  set(OpaqueField::kFeatureFlag, {0, 0});  // single pass-through
  return body;
}

}  // namespace

Result<DeviceIssuers> make_device_issuers(ByteView seed) {
  TRY(root_key, evidence::simulator_gpu_root_key());
  TRY(roots, crypto::parse_pem_chain(as_bytes(evidence::simulator_gpu_root_pem())));
  TRY(model_key, EcKey::derive(Curve::kP384, seed, kModelKeyLabel));
  TRY(provisioner_key, EcKey::derive(Curve::kP384, seed, kProvisionerKeyLabel));
  TRY(model,
      crypto::issue_certificate(certificate_spec(seed, kModelName, roots.front().subject_common_name(), true, "model"),
                                model_key, root_key));
  TRY(provisioner, crypto::issue_certificate(certificate_spec(seed, kProvisionerName, kModelName, true, "provisioner"),
                                             provisioner_key, model_key));
  return DeviceIssuers{std::move(provisioner_key),
                       provisioner.to_pem() + model.to_pem() + std::string(evidence::simulator_gpu_root_pem())};
}

Device::Device(EcKey attestation_key, std::string certificate_chain_pem, codec::SpdmReport body)
    : attestation_key_(std::move(attestation_key)),
      certificate_chain_pem_(std::move(certificate_chain_pem)),
      body_(std::move(body)) {}

Result<Device> Device::create(ByteView seed, int number, const DeviceIssuers& issuers) {
  const std::string suffix = std::to_string(number);
  TRY(device_key, EcKey::derive(Curve::kP384, seed, std::string(kDeviceKeyLabel) + suffix));
  TRY(attestation_key, EcKey::derive(Curve::kP384, seed, std::string(kAttestationKeyLabel) + suffix));
  TRY(device, crypto::issue_certificate(certificate_spec(seed, kDeviceName, kProvisionerName, true, "device " + suffix),
                                        device_key, issuers.provisioner_key));
  crypto::CertificateSpec leaf = certificate_spec(seed, kAttestationName, kDeviceName, false, "attestation " + suffix);
  leaf.extensions.push_back({std::string(kFwidOid), false, fwid_extension()});
  TRY(leaf_certificate, crypto::issue_certificate(leaf, attestation_key, device_key));
  return Device(std::move(attestation_key), leaf_certificate.to_pem() + device.to_pem() + issuers.chain_pem,
                report_body());
}

Bytes Device::report(const ByteArray<32>& nonce) const {
  codec::SpdmReport report = body_;
  report.request_nonce = nonce;
  crypto::fill_random(report.responder_nonce);
  Bytes out = codec::write_spdm_signed_region(report);
  append(out, attestation_key_.sign(out));
  return out;
}

}  // namespace cloister::gpu
