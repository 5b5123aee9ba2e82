#include "verify/nvidia/rim_ids.h"

#include <algorithm>
#include <cstdio>

#include "verify/nvidia/device_identity.h"

namespace cloister::verify {
namespace {

using codec::OpaqueField;

constexpr std::size_t kMostPartBytes = 64;

Result<std::string> checked(std::string part, const char* name) {
  const bool plain = std::ranges::all_of(part, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
  });
  if (part.empty() || part.size() > kMostPartBytes || !plain) {
    return fail(ErrorCode::kBadGpuEvidence,
                std::string("the report's ") + name + " is missing or cannot be part of a manifest's name");
  }
  return part;
}

// "96.00.5e.00.01" to "96005E0001".
Result<std::string> compact_version(const codec::SpdmReport& report) {
  TRY(version, checked(vbios_version(report), "VBIOS version"));
  std::string out;
  for (const char c : version) {
    if (c != '.') out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

// "GR100": the chip as Rubin's manifests name it.
Result<std::string> rubin_chip(const codec::SpdmReport& report) {
  return checked(padded_text(report, OpaqueField::kChipInfo), "chip info");
}

Result<std::string> driver_id(const codec::SpdmReport& report, const std::string& arch) {
  TRY(version, checked(driver_version(report), "driver version"));
  if (arch == "HOPPER") return "NV_GPU_DRIVER_GH100_" + version;
  if (arch == "RUBIN") {
    TRY(name, rubin_chip(report));
    return "NV_GPU_DRIVER_" + name + "_" + version;
  }
  std::string chip = padded_text(report, OpaqueField::kChipInfo);
  if (chip.empty()) chip = "GB100";
  TRY(name, checked(std::move(chip), "chip info"));
  return "NV_GPU_CC_DRIVER_" + name + "_" + version;
}

// "GR100_081D_9900230000": chip, board and version.
Result<std::string> rubin_vbios_id(const codec::SpdmReport& report) {
  TRY(chip, rubin_chip(report));
  TRY(version, compact_version(report));
  const auto board = report.opaque.find(static_cast<std::uint16_t>(OpaqueField::kBoardId));
  if (board == report.opaque.end() || board->second.size() != 4 || board->second[2] != 0 || board->second[3] != 0) {
    return fail(ErrorCode::kBadGpuEvidence, "the report's board id is missing or cannot be part of a manifest's name");
  }
  char text[8];
  std::snprintf(text, sizeof text, "%02X%02X", board->second[1], board->second[0]);
  return chip + "_" + text + "_" + version;
}

Result<std::string> vbios_id(const codec::SpdmReport& report, const std::string& arch) {
  if (arch == "RUBIN") return rubin_vbios_id(report);
  TRY(project, checked(padded_text(report, OpaqueField::kProject), "project"));
  TRY(project_sku, checked(padded_text(report, OpaqueField::kProjectSku), "project SKU"));
  TRY(chip_sku, checked(padded_text(report, OpaqueField::kChipSku), "chip SKU"));
  TRY(version, compact_version(report));
  return "NV_GPU_VBIOS_" + project + "_" + project_sku + "_" + chip_sku + "_" + version;
}

}  // namespace

Result<RimIds> rim_ids(const codec::SpdmReport& report, const std::vector<crypto::Certificate>& chain) {
  if (chain.size() < 2) return fail(ErrorCode::kBadGpuEvidence, "no device certificate");
  const std::string arch = device_arch(chain[1]);
  if (arch.empty()) return fail(ErrorCode::kBadGpuEvidence, "no manifest is known for this architecture");
  RimIds out;
  if (is_switch(arch)) {
    TRY(version, compact_version(report));
    out.vbios = "NV_SWITCH_BIOS_5612_0002_890_" + version;
    return out;
  }
  TRY(driver, driver_id(report, arch));
  out.driver = std::move(driver);
  TRY(vbios, vbios_id(report, arch));
  out.vbios = std::move(vbios);
  return out;
}

std::vector<std::string> required_rim_ids(const codec::SpdmReport& report,
                                          const std::vector<crypto::Certificate>& chain) {
  const Result<RimIds> ids = rim_ids(report, chain);
  std::vector<std::string> out;
  if (!ids) return out;
  if (!ids->driver.empty()) out.push_back(ids->driver);
  out.push_back(ids->vbios);
  return out;
}

}  // namespace cloister::verify
