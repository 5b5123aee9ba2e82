#include "verify/nvidia/nvlink.h"

#include <algorithm>

#include "verify/check.h"

namespace cloister::verify {
namespace {

using codec::OpaqueField;
using codec::SpdmReport;

constexpr const char* kId = "nvidia.nvlink";
constexpr const char* kEncrypted = "encrypted";
constexpr std::uint8_t kOn = 0xAA;
constexpr std::uint8_t kOff = 0x55;
constexpr std::uint8_t kMultiGpuPassthrough = 1;  // value of field 36

bool is_multi_gpu(const SpdmReport& gpu) {
  const auto flag = gpu.opaque.find(static_cast<std::uint16_t>(OpaqueField::kFeatureFlag));
  return flag != gpu.opaque.end() && !flag->second.empty() && flag->second.front() == kMultiGpuPassthrough;
}

// What all of them report; the first that differs from the others is shown with it.
std::string summary(const std::vector<const SpdmReport*>& gpus) {
  std::string out;
  for (const SpdmReport* gpu : gpus) {
    const std::string state = nvlink_state(*gpu);
    if (out.empty()) out = state;
    if (out != state) return out + " and " + state;
  }
  return out.empty() ? "no GPU" : out;
}

}  // namespace

std::string nvlink_state(const SpdmReport& gpu) {
  const Bytes* status =
      gpu.typed_field(static_cast<std::uint16_t>(OpaqueField::kNvlinkEncryption), codec::OpaqueValueType::kStatus);
  if (status == nullptr) return "not said";
  const bool one_byte =
      !status->empty() && std::all_of(status->begin() + 1, status->end(), [](std::uint8_t b) { return b == 0; });
  if (one_byte && status->front() == kOn) return kEncrypted;
  if (one_byte && status->front() == kOff) return "clear";
  return "unknown";
}

Check check_nvlink(const std::vector<TopologyMember>& members, const Check& topology, NvlinkRequirement required) {
  std::vector<const SpdmReport*> gpus;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].report == nullptr) {
      return skipped(kId, "device " + std::to_string(i) + " could not be read", required != NvlinkRequirement::kAny);
    }
    if (!members[i].is_switch) gpus.push_back(members[i].report);
  }
  const std::string said = summary(gpus);
  if (required == NvlinkRequirement::kAny) {
    Check out = not_applicable(kId, "the policy demands nothing of NVLink; the GPUs say: " + said);
    out.actual = said;
    return out;
  }
  if (gpus.empty()) return skipped(kId, "the evidence of the GPUs is not here");
  if (said == kEncrypted) return passed(kId, said);
  if (required == NvlinkRequirement::kEncrypted) {
    return failed(kId, "the policy demands that every GPU says that NVLink is encrypted", kEncrypted, said);
  }
  if (gpus.size() == 1 && members.size() == 1 && !is_multi_gpu(*gpus.front())) return passed(kId, "one GPU alone");
  if (topology.state == State::kPass) return passed(kId, "protected PCIe mode");
  if (topology.state == State::kSkipped) return skipped(kId, "the topology could not be judged: " + topology.detail);
  return failed(kId, "the GPUs are connected by an NVLink that none of them says is encrypted",
                "encrypted, protected PCIe mode or one GPU alone", said);
}

}  // namespace cloister::verify
