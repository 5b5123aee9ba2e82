#include "tee/simulator/platform.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "crypto/x509.h"
#include "evidence/simulator_roots.h"
#include "tee/simulator/der_writer.h"
#include "tee/simulator/pck_extension.h"

namespace cloister::tee {
namespace {

constexpr std::string_view kSalt = "cloister.insecure_simulator.v1";
constexpr std::string_view kQuoteUserData = "INSECURE SIMULATOR";
constexpr std::string_view kPckCaName = "INSECURE SIMULATOR PCK Platform CA";
constexpr std::string_view kPckName = "INSECURE SIMULATOR PCK Certificate";
constexpr std::string_view kPckExtensionOid = "1.2.840.113741.1.13.1";
constexpr std::string_view kCrlDistributionOid = "2.5.29.31";
// 2024-01-01 and 2049-12-31T23:59:59, within the validity of the simulated root.
constexpr UnixSeconds kNotBefore = 1704067200;
constexpr UnixSeconds kNotAfter = 2524607999;
// Plausible SVNs of a patched host.
constexpr ByteArray<16> kComponentSvns = {4, 4, 2, 2, 4, 1, 0, 5};
constexpr std::uint8_t kPceSvn = 13;
constexpr std::uint16_t kTdQeProductId = 2;
constexpr std::uint16_t kTdQeSvn = 4;

template <std::size_t N>
ByteArray<N> fixed(ByteView bytes) {
  ByteArray<N> out{};
  std::copy_n(bytes.begin(), std::min(N, bytes.size()), out.begin());
  return out;
}

// 0, 1, 2 ... 31, as in Intel's quoting enclave.
Bytes authentication_data() {
  Bytes out(32);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i);
  return out;
}

Bytes pck_extension(ByteView seed) {
  PckPlatform platform;
  platform.ppid = simulated_array<16>(seed, "ppid");
  platform.component_svns = kComponentSvns;
  platform.pce_svn = kPceSvn;
  platform.fmspc = {0x00, 0x51, 0x4d, 0x00, 0x00, 0x00};  // no CPU has it
  platform.platform_instance_id = simulated_array<16>(seed, "platform instance id");
  return write_pck_extension(platform);
}

// RFC 5280 section 4.2.1.13: one point, by its full name. Intel's certificates have this extension, and verifiers count
// their six extensions. Nobody serves this address.
Bytes crl_distribution_points() {
  constexpr std::uint8_t kContext0 = 0xa0, kUri = 0x86;
  constexpr std::string_view kAddress =
      "https://insecure-simulator.invalid/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
  const Bytes full_name = der(kContext0, der(kUri, as_bytes(kAddress)));
  return der_sequence({der_sequence({der(kContext0, full_name)})});
}

crypto::CertificateSpec certificate_spec(ByteView seed, std::string_view subject, std::string_view issuer) {
  crypto::CertificateSpec spec;
  spec.subject_common_name = subject;
  spec.issuer_common_name = issuer;
  spec.not_before = kNotBefore;
  spec.not_after = kNotAfter;
  spec.serial = simulated_bytes(seed, subject, 16);
  return spec;
}

Result<std::string> issue_pck_chain(ByteView seed, const crypto::EcKey& pck_key) {
  TRY(root_key, evidence::simulator_cpu_root_key());
  TRY(roots, crypto::parse_pem_chain(as_bytes(evidence::simulator_cpu_root_pem())));
  TRY(ca_key, crypto::EcKey::derive(crypto::Curve::kP256, seed, kPckCaKeyLabel));
  crypto::CertificateSpec ca = certificate_spec(seed, kPckCaName, roots.front().subject_common_name());
  ca.is_ca = true;
  ca.path_length = 0;
  TRY(ca_certificate, crypto::issue_certificate(ca, ca_key, root_key));
  crypto::CertificateSpec leaf = certificate_spec(seed, kPckName, kPckCaName);
  leaf.extensions.push_back({std::string(kCrlDistributionOid), false, crl_distribution_points()});
  leaf.extensions.push_back({std::string(kPckExtensionOid), false, pck_extension(seed)});
  TRY(leaf_certificate, crypto::issue_certificate(leaf, pck_key, ca_key));
  return leaf_certificate.to_pem() + ca_certificate.to_pem() + std::string(evidence::simulator_cpu_root_pem());
}

Bytes qe_report(ByteView attestation_point) {
  codec::QeReport report;
  report.cpu_svn = kComponentSvns;
  report.attributes = {0x11, 0, 0, 0, 0, 0, 0, 0, 0xe7};  // INIT, PROVISION_KEY; no DEBUG; XFRM 0xe7
  report.mr_enclave = crypto::sha256(as_bytes("cloister insecure simulator qe mr_enclave"));
  report.mr_signer = crypto::sha256(as_bytes("cloister insecure simulator qe mr_signer"));
  report.isv_prod_id = kTdQeProductId;
  report.isv_svn = kTdQeSvn;
  Bytes bound(attestation_point.begin(), attestation_point.end());
  append(bound, authentication_data());
  const crypto::Sha256Digest digest = crypto::sha256(bound);
  std::copy(digest.begin(), digest.end(), report.report_data.begin());
  return codec::write_qe_report(report);
}

}  // namespace

Bytes simulated_bytes(ByteView seed, std::string_view label, std::size_t size) {
  return to_bytes(crypto::hkdf_sha256(seed, as_bytes(kSalt), label, size).expose());
}

Platform::Platform(crypto::EcKey attestation_key, std::string pck_chain_pem, Bytes qe_report,
                   ByteArray<64> qe_signature)
    : attestation_key_(std::move(attestation_key)),
      attestation_point_(fixed<64>(attestation_key_.public_point())),
      pck_chain_pem_(std::move(pck_chain_pem)),
      qe_report_(std::move(qe_report)),
      qe_report_signature_(qe_signature) {}

Result<Platform> Platform::create(ByteView seed) {
  TRY(attestation_key, crypto::EcKey::derive(crypto::Curve::kP256, seed, kAttestationKeyLabel));
  TRY(pck_key, crypto::EcKey::derive(crypto::Curve::kP256, seed, kPckKeyLabel));
  TRY(pck_chain, issue_pck_chain(seed, pck_key));
  Bytes report = qe_report(attestation_key.public_point());
  const ByteArray<64> signature = fixed<64>(pck_key.sign(report));
  return Platform(std::move(attestation_key), std::move(pck_chain), std::move(report), signature);
}

Bytes Platform::quote(const codec::TdReport& report) const {
  const Bytes region = codec::write_tdx_v4_signed_region(report, fixed<20>(as_bytes(kQuoteUserData)));
  const ByteArray<64> signature = fixed<64>(attestation_key_.sign(region));
  return codec::write_tdx_v4_quote(region, signature, attestation_point_, qe_report_, qe_report_signature_,
                                   authentication_data(), as_bytes(pck_chain_pem_));
}

}  // namespace cloister::tee
