#include "verify/nvidia/device_checks.h"

#include <algorithm>

#include "base/encoding.h"
#include "verify/check.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/device_policy.h"
#include "verify/nvidia/measurements.h"
#include "verify/nvidia/nvlink.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;
using crypto::Curve;

Result<std::vector<Certificate>> read_chain(const std::string& pem) {
  TRY(chain, crypto::parse_pem_chain(as_bytes(pem)));
  // Vera's processors are certified through Caliptra's layers, with eight certificates in all.
  const bool caliptra = std::ranges::any_of(chain, [](const Certificate& certificate) {
    return certificate.subject_common_name().find("Caliptra") != std::string::npos;
  });
  if (caliptra) {
    return fail(ErrorCode::kUnsupported, "evidence of a Vera CPU (a Caliptra chain) is not supported");
  }
  // The FSP of a Blackwell GPU attests its own firmware, separately from the GPU. Switches are attested by their own.
  const std::string device = chain.size() > 1 ? chain[1].subject_common_name() : std::string();
  if (device.starts_with("GB") && device.find(" FSP ") != std::string::npos) {
    return fail(ErrorCode::kUnsupported, "evidence of a GPU's FSP is not supported");
  }
  if (chain.size() != kDeviceChainLength) {
    return fail(ErrorCode::kBadGpuEvidence, "expected 5 certificates, found " + std::to_string(chain.size()));
  }
  return chain;
}

Check check_arch(const std::string& id, const std::string& claimed, const DeviceFindings& findings) {
  const std::string model = findings.chain[1].subject_common_name();
  if (findings.arch.empty())
    return failed(id, "the device's certificate names no architecture that is known", {}, model);
  if (claimed.empty()) return passed(id, findings.arch, "by the certificate alone");
  if (claimed == findings.arch) return passed(id, claimed);
  return failed(id, "the device's certificate names another architecture", claimed, model);
}

// Versions next to the report are hints: they must be the ones that the device signed.
Check check_hints(const std::string& id, const evidence::GpuEvidence& device, const codec::SpdmReport& report) {
  if (device.driver_version.empty() && device.vbios_version.empty()) return not_applicable(id, "none are given");
  const auto agrees = [](const std::string& hint, const std::string& actual) {
    return hint.empty() || compare_versions(hint, actual, 16) == std::strong_ordering::equal;
  };
  const std::string driver = driver_version(report), vbios = vbios_version(report);
  if (!driver.empty() && !agrees(device.driver_version, driver)) {
    return failed(id, "the device reports another driver", device.driver_version, driver);
  }
  if (!agrees(device.vbios_version, vbios)) {
    return failed(id, "the device reports another VBIOS", device.vbios_version, vbios);
  }
  return passed(id);
}

Check check_chain(const std::string& id, const DeviceFindings& findings, DeviceJudge& judge) {
  const Certificate* root = judge.roots.device_root(findings.root);
  if (root == nullptr) {
    return failed(id, "the chain ends in a root that is not pinned", "nvidia_device_identity_ca",
                  findings.chain.back().subject_common_name());
  }
  auto valid = crypto::verify_certificate_chain(findings.chain, *root, Curve::kP384, judge.context.time, &judge.cache);
  return valid ? passed(id, std::string(root_name(RootUse::kGpu, findings.root))) : failed(id, valid.error().message);
}

Check check_signature(const std::string& id, const codec::SpdmReport& report, const Certificate& leaf) {
  const Result<Bytes> key = leaf.ec_public_point();
  if (!key) return failed(id, key.error().message);
  auto valid = crypto::verify_ecdsa(Curve::kP384, *key, report.signed_region, report.signature);
  return valid ? passed(id) : failed(id, valid.error().message);
}

Check check_nonce(const std::string& id, const codec::SpdmReport& report, const DeviceJudge& judge) {
  if (!judge.nonce) {
    return skipped(id, "the verifier gave no nonce: the report may be old", judge.context.policy.require_nonce);
  }
  return compared(id, to_hex(*judge.nonce), to_hex(report.request_nonce), "the signed request holds another nonce");
}

constexpr const char* kDeviceChecks[] = {"arch",  "allowed_arch", "hints",      "cert_chain", "signature",
                                         "nonce", "fwid",         "min_driver", "min_vbios"};
constexpr const char* kRevocationChecks[] = {"revocation.device", "revocation.driver_rim", "revocation.vbios_rim"};

void add_unread(const std::string& prefix, Verdict& verdict) {
  const std::string why = "the evidence could not be read";
  for (const char* check : kDeviceChecks) verdict.add(skipped(prefix + check, why));
  add_rim_checks(
      prefix, [](std::string id, const std::string& reason) { return skipped(std::move(id), reason); }, why, verdict);
  for (const char* check : kRevocationChecks) verdict.add(skipped(prefix + check, why));
}

void add_simulated(const std::string& prefix, Verdict& verdict) {
  const std::string why = "the device is simulated: there is nothing to compare with";
  add_rim_checks(
      prefix, [](std::string id, const std::string& reason) { return not_applicable(std::move(id), reason); }, why,
      verdict);
  for (const char* check : kRevocationChecks) verdict.add(not_applicable(prefix + check, why));
}

Check rim_revocation(const std::string& id, const JudgedRim* rim, RevocationList& list) {
  if (rim == nullptr || rim->chain.empty()) return skipped(id, "there is no manifest with certificates to verify");
  return list.check(id, rim->chain);
}

void check_by_collateral(const std::string& prefix, DeviceFindings& findings, DeviceJudge& judge, Verdict& verdict) {
  const RimFindings rims = check_rims(prefix, *findings.report, findings.chain, judge.rims, verdict);
  findings.facts.update(rims.facts);
  verdict.add(judge.revocation.check(prefix + kRevocationChecks[0], findings.chain, kFirstRevocable));
  verdict.add(rims.switch_without_driver
                  ? not_applicable(prefix + kRevocationChecks[1], "a switch has no driver of its own")
                  : rim_revocation(prefix + kRevocationChecks[1], rims.driver, judge.revocation));
  verdict.add(rim_revocation(prefix + kRevocationChecks[2], rims.vbios, judge.revocation));
}

void add_facts(const evidence::GpuEvidence& device, DeviceFindings& findings) {
  findings.facts["arch"] = findings.arch.empty() ? device.arch : findings.arch;
  findings.facts["model"] = findings.chain[1].subject_common_name();
  findings.facts["driver_version"] = driver_version(*findings.report);
  findings.facts["vbios_version"] = vbios_version(*findings.report);
  findings.facts["ueid"] = ueid(findings.chain);
  const std::optional<codec::OpaqueVersion>& version = findings.report->opaque_version;
  const auto dotted = [](const codec::OpaqueVersion& v) {
    return std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
  };
  findings.facts["opaque_data"] = version ? dotted(*version) : "legacy";
  if (is_switch(findings.arch)) return;
  findings.facts["nvlink"] = nvlink_state(*findings.report);
  const auto svn = svn_of(*findings.report, static_cast<std::uint16_t>(codec::OpaqueField::kFspMicrocodeSvn));
  if (svn) findings.facts["fsp_svn"] = *svn;
}

}  // namespace

DeviceFindings check_device(std::size_t number, const evidence::GpuEvidence& device, DeviceJudge& judge,
                            Verdict& verdict) {
  const std::string prefix = "nvidia.gpu." + std::to_string(number) + ".";
  DeviceFindings findings;
  Result<codec::SpdmReport> report = codec::parse_spdm_report(device.report);
  Result<std::vector<Certificate>> chain = read_chain(device.certificate_chain_pem);
  if (!report || !chain) {
    // A newer form is not wrong: it is unknown.
    const bool by_chain = report || (!chain && chain.error().code == ErrorCode::kUnsupported);
    const Error& error = by_chain ? chain.error() : report.error();
    verdict.add(error.code == ErrorCode::kUnsupported ? skipped(prefix + "form", error.message)
                                                      : failed(prefix + "form", error.message));
    add_unread(prefix, verdict);
    findings.facts["arch"] = device.arch;
    return findings;
  }
  findings.report = std::move(*report);
  findings.chain = std::move(*chain);
  findings.root = judge.roots.kind_of(findings.chain);
  findings.arch = device_arch(findings.chain[1]);
  add_facts(device, findings);
  verdict.add(passed(prefix + "form", std::to_string(findings.report->measurements.size()) + " measurements"));
  verdict.add(check_arch(prefix + "arch", device.arch, findings));
  verdict.add(check_allowed_arch(prefix + "allowed_arch", findings.arch, judge.context.policy.nvidia));
  verdict.add(check_hints(prefix + "hints", device, *findings.report));
  verdict.add(check_chain(prefix + "cert_chain", findings, judge));
  verdict.add(check_signature(prefix + "signature", *findings.report, findings.chain[0]));
  verdict.add(check_nonce(prefix + "nonce", *findings.report, judge));
  verdict.add(
      check_fwid(prefix + "fwid", findings.arch, *findings.report, findings.chain[0], judge.context.policy.nvidia));
  verdict.add(check_min_driver(prefix + "min_driver", findings.arch, *findings.report, judge.context.policy.nvidia));
  verdict.add(check_min_vbios(prefix + "min_vbios", findings.arch, *findings.report, judge.context.policy.nvidia));
  if (findings.root == RootKind::kInsecureSimulator) {
    add_simulated(prefix, verdict);
  } else {
    check_by_collateral(prefix, findings, judge, verdict);
  }
  return findings;
}

}  // namespace cloister::verify
