// What every verification needs as well as the evidence. All of it outlives the call.
#pragma once

#include "base/clock.h"
#include "verify/collateral.h"
#include "verify/policy.h"

namespace cloister::verify {

class TdxCollateralCache;  // verify/tdx/collateral_cache.h

struct Context {
  const Policy& policy;
  const Collateral& collateral;
  UnixSeconds time;  // time of the verdict
  // Saves work where many quotes are verified with the same collateral, and changes no verdict. Null = nothing is kept.
  TdxCollateralCache* tdx_cache = nullptr;
};

}  // namespace cloister::verify
