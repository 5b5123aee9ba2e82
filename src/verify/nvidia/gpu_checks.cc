#include "verify/nvidia/gpu_checks.h"

#include <set>
#include <vector>

#include "base/encoding.h"
#include "evidence/gpu_evidence.h"
#include "verify/check.h"
#include "verify/nvidia/device_checks.h"

namespace cloister::verify {
namespace {

// attestation.md section 8.5: no two reports share the leaf key, the device certificate or the responder nonce.
Check check_duplicates(const std::vector<DeviceFindings>& devices) {
  const std::string id = "nvidia.duplicates";
  std::set<Bytes> keys, certificates, nonces;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const DeviceFindings& device = devices[i];
    if (!device.report) return skipped(id, "device " + std::to_string(i) + " could not be read");
    const bool fresh = keys.insert(device.chain[0].subject_public_key_info()).second &&
                       certificates.insert(device.chain[1].der()).second &&
                       nonces.insert(Bytes(device.report->responder_nonce.begin(),
                                           device.report->responder_nonce.end()))
                           .second;
    if (!fresh) return failed(id, "device " + std::to_string(i) + " is one that is listed before it");
  }
  return passed(id, std::to_string(devices.size()) + (devices.size() == 1 ? " device" : " different devices"));
}

Check check_root_agreement(const std::vector<DeviceFindings>& devices, RootKind cpu_root) {
  const std::string id = "nvidia.root_agreement";
  if (cpu_root == RootKind::kUnknown) return skipped(id, "the quote ends in no known root");
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (!devices[i].report) return skipped(id, "device " + std::to_string(i) + " could not be read");
    if (devices[i].root == cpu_root) continue;
    return failed(id, "device " + std::to_string(i) + " and the quote are not of the same kind",
                  std::string(root_name(RootUse::kGpu, cpu_root)),
                  std::string(root_name(RootUse::kGpu, devices[i].root)));
  }
  return passed(id, std::string(root_name(RootUse::kGpu, cpu_root)));
}

// The payload's own nonce is a hint for whoever posts it to NVIDIA; a wrong one shows a report put together by hand.
Check check_payload_nonce(const evidence::NvidiaPayload& payload, const ByteArray<32>& nonce) {
  const std::string id = "nvidia.payload.nonce";
  const Result<Bytes> own = from_hex(payload.nonce_hex);
  if (own && equal(*own, nonce)) return passed(id, payload.nonce_hex);
  return failed(id, "the payload names another nonce", to_hex(nonce), payload.nonce_hex);
}

void check_what_needs_collateral(const std::vector<DeviceFindings>& devices, Verdict& verdict) {
  bool all_simulated = true;
  for (const DeviceFindings& device : devices) all_simulated &= device.root == RootKind::kInsecureSimulator;
  for (const char* id : {"nvidia.rims", "nvidia.revocation"}) {
    verdict.add(all_simulated ? not_applicable(id, "the GPUs are simulated: there is nothing to compare with")
                              : skipped(id, "reference manifests and revocation are not judged by this version"));
  }
}

}  // namespace

void check_gpus(const std::optional<std::string>& payload, const ByteArray<32>& nonce, RootKind cpu_root,
                const Context& context, Verdict& verdict) {
  verdict.facts["gpu"] = payload.has_value();
  if (!payload) {
    verdict.add(not_applicable("nvidia.payload.form", "the report holds no GPU evidence: no GPU is vouched for"));
    return;
  }
  const Result<evidence::NvidiaPayload> parsed = evidence::parse_nvidia_payload(*payload);
  if (!parsed || parsed->evidence_list.empty()) {
    verdict.add(failed("nvidia.payload.form", parsed ? "no device in evidence_list" : parsed.error().message));
    skip_all(verdict, {"nvidia.payload.nonce", "nvidia.duplicates", "nvidia.root_agreement", "nvidia.rims",
                       "nvidia.revocation"},
             "the GPU evidence could not be read");
    return;
  }
  verdict.add(passed("nvidia.payload.form", std::to_string(parsed->evidence_list.size()) + " listed"));
  verdict.add(check_payload_nonce(*parsed, nonce));
  std::vector<DeviceFindings> devices;
  Json facts = Json::array();
  for (const evidence::GpuEvidence& device : parsed->evidence_list) {
    devices.push_back(check_device(devices.size(), device, nonce, context, verdict));
    facts.push_back(device_facts(device, devices.back()));
  }
  verdict.add(check_duplicates(devices));
  verdict.add(check_root_agreement(devices, cpu_root));
  check_what_needs_collateral(devices, verdict);
  verdict.facts["gpus"] = std::move(facts);
}

}  // namespace cloister::verify
