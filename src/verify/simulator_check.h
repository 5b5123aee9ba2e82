// Which kind of TEE evidence comes from, and whether that is accepted. Read from the quote's chain, never from what a
// report says of itself. Private to verify.
#pragma once

#include <string_view>

#include "verify/check.h"
#include "verify/policy.h"
#include "verify/roots.h"

namespace cloister::verify {

Check check_simulator(RootKind root, const Policy& policy);
// For the fact `tee_type`: "tdx", "insecure_simulator", "unknown".
std::string_view tee_type_of(RootKind root);

}  // namespace cloister::verify
