// Concise evidence (TCG, DICE Concise Evidence Binding for SPDM 1.1): the table of contents in which a device says what its
// SPDM measurements measure. NVIDIA's GPUs from Rubin on send it as a measurement of its own. This folder only parses.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/comid.h"

namespace cloister::codec {

// The SPDM measurement that holds the table (sections 6.2 and 6.4), and its value type in SPDM 1.1: a raw manifest.
inline constexpr std::uint8_t kSpdmManifestIndex = 0xfd;
inline constexpr std::uint8_t kSpdmManifestType = 0x8a;

struct SpdmToc {
  std::vector<ComidTriple> triples;       // triples of all the evidence listed
  std::vector<std::string> rim_locators;  // URIs of the manifests that the device asks to be compared with
  std::string profile;                    // empty when none is named
};

// Reads spdm-toc-map, tagged 570. Strict: kUnsupported for unknown parts that would change the meaning (other kinds of
// triples, values and members), kBadGpuEvidence for all other errors.
Result<SpdmToc> read_spdm_toc(ByteView bytes);

}  // namespace cloister::codec
