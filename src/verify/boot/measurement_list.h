// Signed lists of expected measurements (docs/spec/measurement-list.md).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace cloister::verify {

// The values of one kind of machine, which must all match together.
struct ExpectedBoot {
  std::string name;
  std::map<std::string, std::string> values;  // "mr_td", "rtmr0" ... "os_image_hash", "compose_hash" -> lower-case hex
};

struct MeasurementList {
  UnixSeconds issued = 0;
  UnixSeconds expires = 0;
  std::vector<ExpectedBoot> entries;
};

// `keys` are "ed25519:<64 hex>" or "p256:<128 hex of x || y>". The signature is 128 hex characters over the bytes of
// `text`, and `text` is parsed only after one of the keys has verified it. `time` must lie in [issued, expires). At
// most 1 MiB and 4,096 entries. Errors are kBadSignature or kBadMeasurementList.
Result<MeasurementList> open_measurement_list(std::string_view text, std::string_view signature,
                                              const std::set<std::string>& keys, UnixSeconds time);

}  // namespace cloister::verify
