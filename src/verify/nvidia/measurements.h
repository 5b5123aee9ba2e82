// Compares what a device measured with a manifest (attestation.md section 9.4).
#pragma once

#include <cstdint>
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

// Every active entry: measurement index + 1 exists, has the entry's size and one of its hashes. Index 35 is left out
// when the report says that NVDEC0 is disabled.
RimComparison compare_measurements(const codec::Rim& rim, const codec::SpdmReport& report);

// Indices that are active in both.
std::set<std::uint32_t> conflicting_indices(const codec::Rim& driver, const codec::Rim& vbios);

// "7, 9, 21", with the probable causes when index 9 is among them.
std::string describe_mismatch(const std::vector<std::uint32_t>& indices);

}  // namespace cloister::verify
