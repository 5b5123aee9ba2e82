// The SGX extension of a PCK certificate, OID 1.2.840.113741.1.13.1
// (Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5).
#pragma once

#include "base/bytes.h"

namespace cloister::tee {

struct PckPlatform {
  ByteArray<16> ppid{};
  ByteArray<16> component_svns{};
  std::uint8_t pce_svn = 0;
  ByteArray<2> pce_id{};
  ByteArray<6> fmspc{};
  std::uint8_t sgx_type = 1;  // scalable
  ByteArray<16> platform_instance_id{};
};

// The extension's value in DER. CPUSVN repeats the component numbers, as on genuine scalable platforms.
Bytes write_pck_extension(const PckPlatform& platform);

}  // namespace cloister::tee
