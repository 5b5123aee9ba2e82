// Compares the measured values with the expected ones: from the policy's sets and from a signed list.
#pragma once

#include "verify/boot/boot_case.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds boot.measurement_list and tdx.measurements.
void check_boot_measurements(const BootCase& boot, Verdict& verdict);

}  // namespace cloister::verify
