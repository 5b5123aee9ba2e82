// What may be measured at run time. Private to tee.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::tee {

constexpr std::size_t kMostEventPayload = 64u << 10;

// Refuses what no reader of the log would accept: a name that is not plain, a payload that is too large, and the names of
// dstack's identity events (`app-id`, `compose-hash` and others), each of which the log may hold only once, from the boot.
Result<void> check_event(std::string_view name, ByteView payload);

}  // namespace cloister::tee
