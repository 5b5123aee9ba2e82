// Which reference manifests a device needs. Every part of the names comes from the report that the device signed, never
// from what stands next to it: whoever chose the name could choose a manifest that fits.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "codec/spdm.h"
#include "crypto/x509.h"

namespace cloister::verify {

struct RimIds {
  std::string driver;  // empty for switches, which have none
  std::string vbios;
};

// An error when a part is missing or holds a character other than letters, digits, '.' and '_', since the names go into URLs and paths.
Result<RimIds> rim_ids(const codec::SpdmReport& report, const std::vector<crypto::Certificate>& chain);

// For fetchers: the names as a list, empty when the report does not state them.
std::vector<std::string> required_rim_ids(const codec::SpdmReport& report,
                                          const std::vector<crypto::Certificate>& chain);

}  // namespace cloister::verify
