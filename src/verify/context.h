// What every judge needs besides the evidence. All three outlive the call.
#pragma once

#include "base/clock.h"
#include "verify/collateral.h"
#include "verify/policy.h"

namespace cloister::verify {

struct Context {
  const Policy& policy;
  const Collateral& collateral;
  UnixSeconds time;  // to judge at
};

}  // namespace cloister::verify
