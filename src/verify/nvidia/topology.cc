#include "verify/nvidia/topology.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "base/encoding.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

using codec::OpaqueField;
using codec::SpdmReport;

constexpr const char* kId = "nvidia.topology";
constexpr std::size_t kPdiSize = 8;
constexpr std::uint8_t kProtectedPcieOn = 0xAA;
constexpr std::uint8_t kFlagProtectedPcie = 2;
constexpr std::uint8_t kLocked = 1;
// A switch's opaque field 26 lists the GPUs that it sees, then for each link the place of its GPU.
constexpr std::size_t kSwitchGpuListSize = 8 * kPdiSize;
constexpr std::size_t kSwitchLinks = 64;
constexpr std::uint8_t kNoLink = 0xff;

using Pdis = std::set<Bytes>;

const Bytes* field(const SpdmReport& report, OpaqueField name) {
  const auto found = report.opaque.find(static_cast<std::uint16_t>(name));
  return found == report.opaque.end() ? nullptr : &found->second;
}

// Little-endian numbers of one or two bytes.
bool field_is(const SpdmReport& report, OpaqueField name, std::uint8_t value) {
  const Bytes* bytes = field(report, name);
  return bytes != nullptr && !bytes->empty() && bytes->front() == value &&
         std::all_of(bytes->begin() + 1, bytes->end(), [](std::uint8_t b) { return b == 0; });
}

bool in_protected_pcie_mode(const SpdmReport& gpu) {
  return field_is(gpu, OpaqueField::kFeatureFlag, kFlagProtectedPcie) ||
         field_is(gpu, OpaqueField::kProtectedPcieStatus, kProtectedPcieOn);
}

bool is_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0; });
}

// Absent for a list that does not consist of whole entries. Zero entries are unused links.
std::optional<Pdis> read_pdis(ByteView bytes) {
  if (bytes.size() % kPdiSize != 0) return std::nullopt;
  Pdis out;
  for (std::size_t at = 0; at < bytes.size(); at += kPdiSize) {
    const ByteView pdi = bytes.subspan(at, kPdiSize);
    if (!is_zero(pdi)) out.insert(to_bytes(pdi));
  }
  return out;
}

// The switches that a GPU sees.
std::optional<Pdis> read_switches_of(const SpdmReport& gpu) {
  const Bytes* bytes = field(gpu, OpaqueField::kDevicePdi);
  return bytes == nullptr ? std::nullopt : read_pdis(*bytes);
}

// The GPUs that a switch sees. Absent for a field of another size, and where a link leads to a GPU that is not listed.
std::optional<Pdis> read_gpus_of(const SpdmReport& a_switch) {
  const Bytes* bytes = field(a_switch, OpaqueField::kSwitchGpuPdis);
  if (bytes == nullptr || bytes->size() != kSwitchGpuListSize + kSwitchLinks) return std::nullopt;
  const ByteView gpus = ByteView(*bytes).first(kSwitchGpuListSize);
  for (const std::uint8_t link : ByteView(*bytes).last(kSwitchLinks)) {
    if (link == kNoLink) continue;
    const std::size_t at = link * kPdiSize;
    if (at >= gpus.size() || is_zero(gpus.subspan(at, kPdiSize))) return std::nullopt;
  }
  return read_pdis(gpus);
}

std::string describe(const Pdis& pdis) {
  std::string out;
  for (const Bytes& pdi : pdis) out += (out.empty() ? "" : " ") + to_hex(pdi);
  return out.empty() ? "none" : out;
}

struct Parts {
  std::vector<const TopologyMember*> gpus, switches;
};

// The switches that were attested, by the names that GPUs give them.
Result<Pdis> attested_switches(const Parts& parts) {
  Pdis out;
  for (std::size_t i = 0; i < parts.switches.size(); ++i) {
    const std::string where = "switch " + std::to_string(i) + " of the list ";
    const SpdmReport& report = *parts.switches[i]->report;
    const Bytes* own = field(report, OpaqueField::kDevicePdi);
    if (own == nullptr || own->size() != kPdiSize)
      return fail(ErrorCode::kBadGpuEvidence, where + "does not name itself");
    if (*own != parts.switches[i]->pdi) {
      return fail(ErrorCode::kBadGpuEvidence, where + "has another name in its certificate");
    }
    if (!field_is(report, OpaqueField::kSwitchLockStatus, kLocked)) {
      return fail(ErrorCode::kBadGpuEvidence, where + "is not locked");
    }
    // GPUs list them with the bytes in reverse order.
    if (!out.insert(Bytes(own->rbegin(), own->rend())).second) {
      return fail(ErrorCode::kBadGpuEvidence, where + "is listed twice");
    }
  }
  return out;
}

Check check_gpu_lists(const Parts& parts, const Pdis& attested) {
  for (std::size_t i = 0; i < parts.gpus.size(); ++i) {
    const std::string where = "GPU " + std::to_string(i) + " of the list ";
    const SpdmReport& report = *parts.gpus[i]->report;
    if (!in_protected_pcie_mode(report)) return failed(kId, where + "is not in protected PCIe mode");
    const std::optional<Pdis> seen = read_switches_of(report);
    if (!seen) return failed(kId, where + "does not tell its switches");
    if (*seen == attested) continue;
    return failed(kId, where + "is connected to other switches than those that were attested", describe(attested),
                  describe(*seen));
  }
  return passed(kId);
}

// Every switch must see exactly the attested GPUs, by the names in their certificates, so a GPU of another machine
// cannot take the place of one of this machine.
Check check_switch_lists(const Parts& parts) {
  Pdis attested;
  for (std::size_t i = 0; i < parts.gpus.size(); ++i) {
    const std::string where = "GPU " + std::to_string(i) + " of the list ";
    if (parts.gpus[i]->pdi.empty()) return failed(kId, where + "has no name in its certificate");
    if (!attested.insert(parts.gpus[i]->pdi).second) return failed(kId, where + "is listed twice");
  }
  for (std::size_t i = 0; i < parts.switches.size(); ++i) {
    const std::string where = "switch " + std::to_string(i) + " of the list ";
    const std::optional<Pdis> seen = read_gpus_of(*parts.switches[i]->report);
    if (!seen) return failed(kId, where + "does not tell its GPUs");
    if (*seen == attested) continue;
    return failed(kId, where + "is connected to other GPUs than those that were attested", describe(attested),
                  describe(*seen));
  }
  return passed(kId,
                std::to_string(parts.gpus.size()) + " GPUs, " + std::to_string(parts.switches.size()) + " switches");
}

}  // namespace

Check check_topology(const std::vector<TopologyMember>& members) {
  Parts parts;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].report == nullptr) return skipped(kId, "device " + std::to_string(i) + " could not be read");
    (members[i].is_switch ? parts.switches : parts.gpus).push_back(&members[i]);
  }
  const bool any_protected =
      std::ranges::any_of(parts.gpus, [](const TopologyMember* gpu) { return in_protected_pcie_mode(*gpu->report); });
  if (!any_protected && parts.switches.empty()) return not_applicable(kId, "no GPU is in protected PCIe mode");
  if (parts.switches.empty()) {
    return skipped(kId, "the GPUs are in protected PCIe mode, and the evidence of their switches is not here");
  }
  if (parts.gpus.empty()) return skipped(kId, "the evidence of the GPUs at these switches is not here");
  const Result<Pdis> attested = attested_switches(parts);
  if (!attested) return failed(kId, attested.error().message);
  if (Check lists = check_gpu_lists(parts, *attested); lists.state != State::kPass) return lists;
  return check_switch_lists(parts);
}

}  // namespace cloister::verify
