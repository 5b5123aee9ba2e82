// What the checks of boot evidence share. Private to verify/boot.
#pragma once

#include "codec/tdx_quote.h"
#include "evidence/boot_evidence.h"
#include "verify/boot/log.h"
#include "verify/context.h"

namespace cloister::verify {

struct BootCase {
  const evidence::BootEvidence& evidence;
  const codec::TdReport& report;
  const Context& context;
  const BootPolicy& policy;  // context.policy.boot; a simulated TEE may run any code that it leaves open
  bool simulated = false;
  BootLog log;
};

}  // namespace cloister::verify
