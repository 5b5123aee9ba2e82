// What the SGX extension of a PCK certificate says about the platform
// (Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5).
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/x509.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct PckConfiguration {
  std::optional<bool> dynamic_platform, cached_keys, smt_enabled;
};

struct PckExtension {
  ByteArray<16> ppid{};  // identifies the platform permanently: shown as a digest only
  ByteArray<16> component_svns{};
  std::uint16_t pce_svn = 0;
  ByteArray<16> cpu_svn{};
  ByteArray<2> pce_id{};
  ByteArray<6> fmspc{};
  // 0 standard, 1 scalable, 2 scalable with integrity. A certificate without it fails tdx.pck.extension; the platform
  // is evaluated all the same, since nothing in that evaluation depends on it.
  std::optional<std::uint8_t> sgx_type;
  // Present on multi-package platforms only.
  std::optional<ByteArray<16>> platform_instance_id;
  std::optional<PckConfiguration> configuration;
};

// Finds the values by OID, each of its type and size, in DER. A duplicate value, a missing one except the SGX type, and
// an SVN of more than its bytes are errors; an entry with another OID is ignored.
Result<PckExtension> read_pck_extension(const crypto::Certificate& pck);
// Like read_pck_extension() for the extension's value octets.
Result<PckExtension> parse_pck_extension(ByteView value);
// tdx.pck.extension.
Check check_pck_extension(const Result<PckExtension>& extension);

}  // namespace cloister::verify
