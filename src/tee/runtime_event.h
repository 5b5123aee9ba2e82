// What may be measured at run time. Private to tee.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::tee {

constexpr std::size_t kMostEventPayload = 64u << 10;

// Refuses what no reader of the log would take: a name that is not plain, a payload too large, and the names that tell
// who an application is (attestation.md section 6.4), of which the log may hold one each, from the boot.
Result<void> check_event(std::string_view name, ByteView payload);

}  // namespace cloister::tee
