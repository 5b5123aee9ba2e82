// Compares what a device measured with a manifest.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "codec/rim.h"
#include "codec/spdm.h"

namespace cloister::verify {

struct RimComparison {
  std::size_t active = 0;                  // entries that were compared or left out by the NVDEC0 rule
  std::vector<std::uint32_t> mismatching;  // indices of the manifest, 0-based, ascending
};

// Compares every active entry: measurement index + 1 exists, has the entry's size and one of its hashes. Index 35 is
// left out when the report says that NVDEC0 is disabled.
RimComparison compare_measurements(const codec::Rim& rim, const codec::SpdmReport& report);

// Indices that are active in both; for minimum SVNs, 0x1000 plus the field, where both set one under the same field or name.
std::set<std::uint32_t> conflicting_indices(const codec::Rim& driver, const codec::Rim& vbios);

// Why a minimum SVN of the manifest is not reached: the report must hold that field with the value type of a security
// version number, and no smaller value. Empty when all are reached.
std::string below_floor(const codec::Rim& rim, const codec::SpdmReport& report);

// The security version number in this field, little-endian, 1 to 8 bytes. Absent when the field is absent or has another type.
std::optional<std::uint64_t> svn_of(const codec::SpdmReport& report, std::uint16_t field);

// "7, 9, 21", with the probable causes when index 9 is among them.
std::string describe_mismatch(const std::vector<std::uint32_t>& indices);

}  // namespace cloister::verify
