#include "verify/nvidia/measurements.h"

#include <algorithm>
#include <map>

namespace cloister::verify {
namespace {

constexpr std::uint32_t kNvdec0Index = 35;
constexpr std::uint32_t kFirstOpaqueIndex = 0x1000;
constexpr std::uint8_t kNvdec0Disabled = 0x55;
constexpr std::uint32_t kWarmRebootIndex = 9;

bool nvdec0_disabled(const codec::SpdmReport& report) {
  const auto status = report.opaque.find(static_cast<std::uint16_t>(codec::OpaqueField::kNvdec0Status));
  return status != report.opaque.end() && status->second == Bytes{kNvdec0Disabled};
}

bool matches(const codec::RimEntry& entry, const Bytes& value) {
  return value.size() == entry.size && std::ranges::find(entry.hashes, value) != entry.hashes.end();
}

}  // namespace

RimComparison compare_measurements(const codec::Rim& rim, const codec::SpdmReport& report) {
  std::map<std::uint32_t, const Bytes*> measured;
  for (const codec::SpdmMeasurement& measurement : report.measurements) {
    // Manifests hold digests of firmware; a value of another kind at the same place is no such digest.
    if (measurement.value_type == codec::kFirmwareDigest) measured.emplace(measurement.index, &measurement.value);
  }
  RimComparison out;
  for (const codec::RimEntry& entry : rim.entries) {
    if (!entry.active) continue;
    ++out.active;
    if (entry.index == kNvdec0Index && nvdec0_disabled(report)) continue;
    // The manifest counts from 0, the report from 1.
    const auto found = measured.find(entry.index + 1);
    if (found == measured.end() || !matches(entry, *found->second)) out.mismatching.push_back(entry.index);
  }
  std::ranges::sort(out.mismatching);
  return out;
}

std::set<std::uint32_t> conflicting_indices(const codec::Rim& driver, const codec::Rim& vbios) {
  std::set<std::uint32_t> in_driver, out;
  for (const codec::RimEntry& entry : driver.entries) {
    if (entry.active) in_driver.insert(entry.index);
  }
  for (const codec::RimEntry& entry : vbios.entries) {
    if (entry.active && in_driver.contains(entry.index)) out.insert(entry.index);
  }
  for (const codec::RimSvnFloor& floor : vbios.svn_floors) {
    const bool both = std::ranges::any_of(driver.svn_floors, [&](const codec::RimSvnFloor& other) {
      return other.field == floor.field || other.name == floor.name;
    });
    if (both) out.insert(kFirstOpaqueIndex + floor.field);
  }
  return out;
}

std::optional<std::uint64_t> svn_of(const codec::SpdmReport& report, std::uint16_t field) {
  const Bytes* bytes = report.typed_field(field, codec::OpaqueValueType::kSvn);
  if (bytes == nullptr || bytes->empty() || bytes->size() > sizeof(std::uint64_t)) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = bytes->size(); i-- > 0;) value = value << 8 | (*bytes)[i];
  return value;
}

std::string below_floor(const codec::Rim& rim, const codec::SpdmReport& report) {
  for (const codec::RimSvnFloor& floor : rim.svn_floors) {
    const std::optional<std::uint64_t> svn = svn_of(report, floor.field);
    if (svn && *svn >= floor.least) continue;
    return floor.name + ": expected at least " + std::to_string(floor.least) + ", got " +
           (svn ? std::to_string(*svn) : "none");
  }
  return {};
}

std::string describe_mismatch(const std::vector<std::uint32_t>& indices) {
  std::string out;
  for (const std::uint32_t index : indices) out += (out.empty() ? "" : ", ") + std::to_string(index);
  if (std::ranges::find(indices, kWarmRebootIndex) != indices.end()) {
    out +=
        " (index 9 often differs after a warm reboot of the machine: stop it fully and start it again; or against an "
        "old copy of the manifest: fetch it anew)";
  }
  return out;
}

}  // namespace cloister::verify
