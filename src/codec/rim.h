// Reference integrity manifests of NVIDIA's drivers and firmware: SWID tags (ISO/IEC 19770-2:2015) as read from a
// verified document. This folder only parses; verify/nvidia verifies the values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/signed_xml.h"

namespace cloister::codec {

struct RimEntry {
  std::uint32_t index = 0;    // 0-based; it refers to the measurement whose index is one higher
  bool active = false;        // only active entries are compared
  std::uint32_t size = 0;     // bytes of the measured value
  std::vector<Bytes> hashes;  // alternatives, each of `size` bytes; any may match
};

// A minimum that the manifest sets for a security version number in the opaque data of the report (NVIDIA's opaque data
// format of 2026-10-07): a Resource whose index is 0x1000 plus the type of the field.
struct RimSvnFloor {
  std::uint16_t field = 0;
  std::string name;
  std::uint64_t least = 0;
};

struct Rim {
  std::string tag_id;
  std::string product;                  // "GH100", "LS10"
  std::string edition;                  // "GPU", "SWITCH"
  std::string colloquial_version;       // of the driver or firmware
  std::vector<RimEntry> entries;        // in the order of the document, indices unique
  std::vector<RimSvnFloor> svn_floors;  // active ones; fields and names are unique
};

// True for CBOR (a COSE signature or a tagged CoRIM), which newer parts use: codec/corim.h.
bool is_corim(std::string_view bytes);

// Accepts exactly one Meta and one Payload. A Payload holds Resources only, each with a unique index: from 0 to 254
// with `active` absent, "True" or "False", and as many hashes as `alternatives` says, 1 to 64; or from 0x1000 to
// 0x10fff with `minSvn` and a name, and without hashes. Errors are kBadRim.
Result<Rim> read_rim(const crypto::XmlElement& root);

}  // namespace cloister::codec
