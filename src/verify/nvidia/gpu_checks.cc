#include "verify/nvidia/gpu_checks.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "base/encoding.h"
#include "evidence/simulator_roots.h"
#include "verify/check.h"
#include "verify/nvidia/device_checks.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/nras.h"
#include "verify/nvidia/nvlink.h"
#include "verify/nvidia/topology.h"

namespace cloister::verify {
namespace {

// Nonces that NVIDIA's tools use where nobody gives one: many public reports answer them.
constexpr std::array<std::string_view, 2> kKnownNonces = {
    "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb",
    "4cff7f5380ead8fad8ec2c531c110aca4302a88f603792801a8ca29ee151af2e"};

using Findings = std::vector<DeviceFindings>;

// No two reports may share the leaf key, the device certificate or the responder nonce.
Check check_duplicates(const Findings& devices) {
  const std::string id = "nvidia.duplicates";
  std::set<Bytes> keys, certificates, nonces;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const DeviceFindings& device = devices[i];
    if (!device.report) return skipped(id, "device " + std::to_string(i) + " could not be read");
    const bool fresh =
        keys.insert(device.chain[0].subject_public_key_info()).second &&
        certificates.insert(device.chain[1].der()).second &&
        nonces.insert(Bytes(device.report->responder_nonce.begin(), device.report->responder_nonce.end())).second;
    if (!fresh) return failed(id, "device " + std::to_string(i) + " is one that is listed before it");
  }
  return passed(id, std::to_string(devices.size()) + (devices.size() == 1 ? " device" : " different devices"));
}

Check check_root_agreement(const Findings& devices, const std::optional<RootKind>& cpu_root) {
  const std::string id = "nvidia.root_agreement";
  if (!cpu_root) return not_applicable(id, "there is no quote next to this evidence");
  if (*cpu_root == RootKind::kUnknown) return skipped(id, "the quote ends in no known root");
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (!devices[i].report) return skipped(id, "device " + std::to_string(i) + " could not be read");
    if (devices[i].root == *cpu_root) continue;
    return failed(id, "device " + std::to_string(i) + " and the quote are not of the same kind",
                  std::string(root_name(RootUse::kGpu, *cpu_root)),
                  std::string(root_name(RootUse::kGpu, devices[i].root)));
  }
  return passed(id, std::string(root_name(RootUse::kGpu, *cpu_root)));
}

// Next to a quote, tee.simulator and nvidia.root_agreement cover this together. Alone, no other evidence says what kind
// of machine this is: the fact tee_type does so for readers of the verdict.
Check check_simulator(const Findings& devices, const GpuQuestion& question, const Policy& policy, Verdict& verdict) {
  const std::string id = "nvidia.simulator";
  if (question.cpu_root) return not_applicable(id, "verified with the quote next to it");
  for (const DeviceFindings& device : devices) {
    if (device.root != RootKind::kInsecureSimulator) continue;
    verdict.facts["tee_type"] = evidence::kSimulatorName;
    const std::string name(root_name(RootUse::kGpu, device.root));
    if (policy.accept_simulator) return passed(id, name, "simulated, and accepted by name");
    return failed(id, "a device is simulated; only --accept-simulator accepts that", "a real GPU", name);
  }
  return passed(id, "not simulated");
}

// The payload's own nonce is a hint for whoever posts it to NVIDIA; a wrong one shows a report that was put together by hand.
Check check_payload_nonce(const evidence::NvidiaPayload& payload, const GpuQuestion& question, const Policy& policy) {
  const std::string id = "nvidia.payload.nonce";
  if (payload.nonce_hex.empty()) return not_applicable(id, "this form of evidence names no nonce next to the report");
  if (!question.nonce) return skipped(id, "the verifier gave no nonce", policy.require_nonce);
  const Result<Bytes> own = from_hex(payload.nonce_hex);
  if (own && equal(*own, *question.nonce)) return passed(id, payload.nonce_hex);
  return failed(id, "the payload names another nonce", to_hex(*question.nonce), payload.nonce_hex);
}

Check check_known_nonce(const Findings& devices, const GpuQuestion& question) {
  const std::string id = "nvidia.known_nonce";
  std::set<std::string> nonces;
  if (question.nonce) nonces.insert(to_hex(*question.nonce));
  for (const DeviceFindings& device : devices) {
    if (device.report) nonces.insert(to_hex(device.report->request_nonce));
  }
  for (const std::string_view known : kKnownNonces) {
    if (!nonces.contains(std::string(known))) continue;
    return failed(id, "the nonce is a constant of NVIDIA's tools: old reports of many devices answer it", {},
                  std::string(known));
  }
  return nonces.empty() ? skipped(id, "no device could be read") : passed(id);
}

Check check_count(const Findings& devices, const NvidiaPolicy& policy) {
  const std::string id = "nvidia.gpu_count";
  if (!policy.gpu_count) return not_applicable(id, "the policy names no number of GPUs");
  const auto count = std::ranges::count_if(devices, [](const DeviceFindings& d) { return !is_switch(d.arch); });
  return compared(id, std::to_string(*policy.gpu_count), std::to_string(count), "another number of GPUs");
}

std::vector<TopologyMember> members_of(const Findings& devices) {
  std::vector<TopologyMember> members;
  for (const DeviceFindings& device : devices) {
    members.push_back({device.report ? &*device.report : nullptr, is_switch(device.arch), device_pdi(device.chain)});
  }
  return members;
}

void check_second_opinion(const Findings& devices, const crypto::Certificate* authority, const Context& context,
                          Verdict& verdict) {
  const bool all_simulated = std::ranges::all_of(
      devices, [](const DeviceFindings& device) { return device.root == RootKind::kInsecureSimulator; });
  if (all_simulated) {
    add_nras_not_applicable("the devices are simulated: NVIDIA's service does not know them", verdict);
    return;
  }
  NrasSubject subject;
  std::set<ByteArray<32>> nonces;
  for (const DeviceFindings& device : devices) {
    if (!device.report) {
      subject.complete = false;
      continue;
    }
    nonces.insert(device.report->request_nonce);
    (is_switch(device.arch) ? subject.switch_ueids : subject.gpu_ueids).push_back(ueid(device.chain));
  }
  if (nonces.size() == 1) subject.nonce = *nonces.begin();
  check_nras(subject, context, authority, verdict);
}

constexpr std::array<const char*, 7> kSetChecks = {"nvidia.known_nonce", "nvidia.duplicates", "nvidia.root_agreement",
                                                   "nvidia.simulator",   "nvidia.gpu_count",  "nvidia.topology",
                                                   "nvidia.nvlink"};

void add_without_evidence(const std::string& why, Verdict& verdict) {
  verdict.add(not_applicable("nvidia.payload.form", why));
  verdict.add(not_applicable("nvidia.payload.nonce", why));
  for (const char* id : kSetChecks) verdict.add(not_applicable(id, why));
  add_nras_not_applicable(why, verdict);
}

// True when there is something to verify.
bool check_presence(bool present, const Context& context, Verdict& verdict) {
  const std::string id = "nvidia.required";
  switch (context.policy.nvidia.required) {
    case GpuRequirement::kNever:
      verdict.facts["gpu"] = false;
      verdict.add(not_applicable(id, "the policy leaves GPUs out: none is verified, and the verdict covers none"));
      add_without_evidence("the policy leaves GPUs out", verdict);
      return false;
    case GpuRequirement::kAlways:
      verdict.add(present ? passed(id, "GPU evidence is here")
                          : failed(id, "the policy requires a GPU, and there is no evidence of one"));
      break;
    case GpuRequirement::kWhenPresent: verdict.add(not_applicable(id, "the policy does not require a GPU")); break;
  }
  if (!present) add_without_evidence("the report holds no GPU evidence: no GPU is vouched for", verdict);
  return present;
}

void add_unread(Check form, const Context& context, Verdict& verdict) {
  verdict.add(std::move(form));
  const std::string unread = "the GPU evidence could not be read";
  verdict.add(skipped("nvidia.payload.nonce", unread));
  for (const char* id : kSetChecks) verdict.add(skipped(id, unread));
  check_nras({.complete = false}, context, pinned_nras_authority(), verdict);
}

}  // namespace

void judge_gpus(const evidence::NvidiaPayload& payload, const GpuQuestion& question, const Context& context,
                Verdict& verdict) {
  if (!check_presence(true, context, verdict)) return;
  if (payload.evidence_list.empty()) {
    add_unread(failed("nvidia.payload.form", "no device in evidence_list"), context, verdict);
    return;
  }
  verdict.add(passed("nvidia.payload.form", std::to_string(payload.evidence_list.size()) + " listed"));
  verdict.add(check_payload_nonce(payload, question, context.policy));
  DeviceJudge judge(context, question.roots, question.nonce);
  Findings devices;
  Json facts = Json::array();
  for (const evidence::GpuEvidence& device : payload.evidence_list) {
    devices.push_back(check_device(devices.size(), device, judge, verdict));
    facts.push_back(devices.back().facts);
  }
  verdict.add(check_known_nonce(devices, question));
  verdict.add(check_duplicates(devices));
  verdict.add(check_root_agreement(devices, question.cpu_root));
  verdict.add(check_simulator(devices, question, context.policy, verdict));
  verdict.add(check_count(devices, context.policy.nvidia));
  const std::vector<TopologyMember> members = members_of(devices);
  Check topology = check_topology(members);
  Check nvlink = check_nvlink(members, topology, context.policy.nvidia.nvlink);
  verdict.add(std::move(topology));
  verdict.add(std::move(nvlink));
  check_second_opinion(devices, question.roots.nras, context, verdict);
  verdict.facts["gpus"] = std::move(facts);
}

void judge_gpu_payload(const std::optional<std::string>& payload, const GpuQuestion& question, const Context& context,
                       Verdict& verdict) {
  verdict.facts["gpu"] = payload.has_value();
  if (!payload) {
    (void)check_presence(false, context, verdict);
    return;
  }
  const Result<evidence::NvidiaPayload> parsed = evidence::parse_nvidia_payload(*payload);
  if (parsed) return judge_gpus(*parsed, question, context, verdict);
  if (!check_presence(true, context, verdict)) return;
  // A newer form is not wrong: it is unknown.
  const Error& error = parsed.error();
  add_unread(error.code == ErrorCode::kUnsupported ? skipped("nvidia.payload.form", error.message)
                                                   : failed("nvidia.payload.form", error.message),
             context, verdict);
}

std::string_view gpu_binding(bool present, std::string_view how, const Policy& policy) {
  if (!present) return "none";
  return policy.nvidia.required == GpuRequirement::kNever ? std::string_view("none: the policy leaves GPUs out") : how;
}

void check_gpus(const std::optional<std::string>& payload, const ByteArray<32>& nonce, RootKind cpu_root,
                const Context& context, Verdict& verdict) {
  judge_gpu_payload(payload, {nonce, cpu_root, {}}, context, verdict);
}

}  // namespace cloister::verify
