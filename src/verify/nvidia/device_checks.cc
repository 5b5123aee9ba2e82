#include "verify/nvidia/device_checks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "base/encoding.h"
#include "verify/check.h"
#include "verify/nvidia/fwid.h"

namespace cloister::verify {
namespace {

using codec::OpaqueField;
using crypto::Certificate;
using crypto::Curve;

constexpr std::size_t kChainLength = 5;
// Drivers from this one on put the FWID into every report of a Hopper device (attestation.md section 8.4).
constexpr int kFirstDriverWithFwid = 550;

// Which word in the device certificate's name belongs to which architecture.
struct Architecture {
  std::string_view name;
  std::string_view in_certificate;
};
constexpr std::array<Architecture, 3> kArchitectures = {{{"HOPPER", "GH100"}, {"BLACKWELL", "GB"}, {"LS10", "LS_10"}}};

Result<std::vector<Certificate>> read_chain(const std::string& pem) {
  TRY(chain, crypto::parse_pem_chain(as_bytes(pem)));
  if (chain.size() != kChainLength) {
    return fail(ErrorCode::kBadGpuEvidence, "expected 5 certificates, found " + std::to_string(chain.size()));
  }
  return chain;
}

Check check_arch(const std::string& id, const std::string& arch, const Certificate& device) {
  const auto known = std::find_if(kArchitectures.begin(), kArchitectures.end(),
                                  [&](const Architecture& a) { return a.name == arch; });
  const std::string model = device.subject_common_name();
  if (known == kArchitectures.end()) {
    return failed(id, "unknown architecture", "HOPPER, BLACKWELL or LS10", arch);
  }
  if (model.find(known->in_certificate) == std::string::npos) {
    return failed(id, "the device's certificate names another architecture", arch, model);
  }
  return passed(id, arch);
}

Check check_chain(const std::string& id, const std::vector<Certificate>& chain, RootKind kind, UnixSeconds time) {
  const Certificate* root = pinned_root(RootUse::kGpu, kind);
  if (root == nullptr) {
    return failed(id, "the chain ends in a root that nobody pinned", "nvidia_device_identity_ca",
                  chain.back().subject_common_name());
  }
  auto valid = crypto::verify_certificate_chain(chain, *root, Curve::kP384, time);
  return valid ? passed(id, std::string(root_name(RootUse::kGpu, kind))) : failed(id, valid.error().message);
}

Check check_signature(const std::string& id, const codec::SpdmReport& report, const Certificate& leaf) {
  const Result<Bytes> key = leaf.ec_public_point();
  if (!key) return failed(id, key.error().message);
  auto valid = crypto::verify_ecdsa(Curve::kP384, *key, report.signed_region, report.signature);
  return valid ? passed(id) : failed(id, valid.error().message);
}

int driver_major(const codec::SpdmReport& report) {
  const std::string version = report.opaque_text(OpaqueField::kDriverVersion);
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

Check check_fwid(const std::string& id, const std::string& arch, const codec::SpdmReport& report,
                 const Certificate& leaf) {
  const auto certified = read_fwid(leaf);
  if (!certified) return failed(id, certified.error().message);
  const auto reported = report.opaque.find(static_cast<std::uint16_t>(OpaqueField::kFwid));
  if (reported == report.opaque.end()) {
    const bool must_have = driver_major(report) >= kFirstDriverWithFwid;
    if (must_have && arch == "HOPPER") return failed(id, "the report of this driver must hold a firmware digest");
    return skipped(id, "the report holds no firmware digest", must_have);
  }
  if (!*certified) return failed(id, "the report holds a firmware digest, the certificate none");
  return compared(id, to_hex(**certified), to_hex(reported->second),
                  "the firmware digest of the report is not the one in the certificate");
}

// attestation.md section 8.3, type 6: eight bytes print as b3.b2.b1.b0.b4; switches have text.
std::string vbios_text(const codec::SpdmReport& report) {
  const auto found = report.opaque.find(static_cast<std::uint16_t>(OpaqueField::kVbiosVersion));
  if (found == report.opaque.end()) return {};
  const Bytes& b = found->second;
  if (b.size() != 8) return report.opaque_text(OpaqueField::kVbiosVersion);
  char text[16];
  std::snprintf(text, sizeof text, "%02X.%02X.%02X.%02X.%02X", b[3], b[2], b[1], b[0], b[4]);
  return text;
}

}  // namespace

DeviceFindings check_device(std::size_t number, const evidence::GpuEvidence& device, const ByteArray<32>& nonce,
                            const Context& context, Verdict& verdict) {
  const std::string prefix = "nvidia.gpu." + std::to_string(number) + ".";
  DeviceFindings findings;
  Result<codec::SpdmReport> report = codec::parse_spdm_report(device.report);
  Result<std::vector<Certificate>> chain = read_chain(device.certificate_chain_pem);
  if (!report || !chain) {
    verdict.add(failed(prefix + "form", !report ? report.error().message : chain.error().message));
    for (const char* check : {"arch", "cert_chain", "signature", "nonce", "fwid"}) {
      verdict.add(skipped(prefix + check, "the evidence could not be read"));
    }
    return findings;
  }
  findings.report = std::move(*report);
  findings.chain = std::move(*chain);
  findings.root = claimed_root(RootUse::kGpu, findings.chain);
  const Certificate& leaf = findings.chain[0];
  verdict.add(passed(prefix + "form", std::to_string(findings.report->measurements.size()) + " measurements"));
  verdict.add(check_arch(prefix + "arch", device.arch, findings.chain[1]));
  verdict.add(check_chain(prefix + "cert_chain", findings.chain, findings.root, context.time));
  verdict.add(check_signature(prefix + "signature", *findings.report, leaf));
  verdict.add(compared(prefix + "nonce", to_hex(nonce), to_hex(findings.report->request_nonce),
                       "the signed request holds another nonce"));
  verdict.add(check_fwid(prefix + "fwid", device.arch, *findings.report, leaf));
  return findings;
}

Json device_facts(const evidence::GpuEvidence& device, const DeviceFindings& findings) {
  Json facts = {{"arch", device.arch}};
  if (!findings.chain.empty()) facts["model"] = findings.chain[1].subject_common_name();
  if (findings.report) {
    facts["driver_version"] = findings.report->opaque_text(OpaqueField::kDriverVersion);
    facts["vbios_version"] = vbios_text(*findings.report);
  }
  return facts;
}

}  // namespace cloister::verify
