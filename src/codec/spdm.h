// NVIDIA GPU attestation reports: an SPDM 1.1 GET_MEASUREMENTS request and its response (DMTF DSP0274, section 10.11),
// with NVIDIA's opaque fields. This folder only parses; verify/nvidia verifies the report.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

// SPDM 1.1 (DSP0274), DMTFSpecMeasurementValueType: the digest of mutable firmware, the only type that GH100 sends.
inline constexpr std::uint8_t kFirmwareDigest = 1;

struct SpdmMeasurement {
  std::uint8_t index = 0;                     // 1-based
  Bytes value;                                // 48 bytes of a digest in practice
  std::uint8_t value_type = kFirmwareDigest;  // Rubin also sends a manifest of its measurements (0x8a)
};

enum class OpaqueField : std::uint16_t {
  kDriverVersion = 3,
  kVbiosVersion = 6,
  kNvdec0Status = 11,
  kBoardId = 14,  // four bytes, little-endian
  kChipSku = 15,
  kChipSkuMod = 16,
  kProject = 17,
  kProjectSku = 18,
  kProjectSkuMod = 19,
  kFwid = 20,
  kProtectedPcieStatus = 21,
  kDevicePdi = 22,  // a switch: its own PDI; a GPU: the PDIs of the switches that it sees, each byte-reversed
  kSwitchLockStatus = 25,
  kSwitchGpuPdis = 26,  // a switch: eight PDIs of the GPUs that it sees, then 64 bytes: which GPU each link leads to
  kOpaqueDataVersion = 34,
  kChipInfo = 35,
  kFeatureFlag = 36,
  kFspMicrocodeSvn = 37,   // versioned form, value type kSvn
  kNvlinkEncryption = 38,  // versioned form, value type kStatus
};

// The value types of the versioned form that have a meaning here.
enum class OpaqueValueType : std::uint16_t { kStatus = 0x85, kSvn = 0x87 };

// The version of the opaque data. Absent in a report: the legacy form, which has neither version nor value types.
struct OpaqueVersion {
  std::uint8_t major = 0, minor = 0, patch = 0;
  bool operator==(const OpaqueVersion&) const = default;
};
inline constexpr std::uint8_t kMostOpaqueMajor = 2;

struct SpdmReport {
  ByteArray<32> request_nonce{};    // inside the signed request: the verifier's nonce
  ByteArray<32> responder_nonce{};  // the device's own nonce
  std::vector<SpdmMeasurement> measurements;
  std::map<std::uint16_t, Bytes> opaque;  // unknown types are kept; duplicates are an error
  std::optional<OpaqueVersion> opaque_version;
  std::map<std::uint16_t, std::uint16_t>
      opaque_value_types;     // of every field in the versioned form; empty in the legacy form
  ByteArray<96> signature{};  // r || s, P-384
  Bytes signed_region;        // request and response up to the signature

  // Returns a text field with its trailing NUL removed; empty when absent.
  std::string opaque_text(OpaqueField field) const;
  // Returns the versioned form's field with this value type; null when absent, of another type, or in the legacy form.
  const Bytes* typed_field(std::uint16_t field, OpaqueValueType type) const;
};

// Accepts at most 64 KiB. The request must ask for all measurements with a signature. The blocks must fill the record,
// their number must be the header's, and their indices must be unique and not 0. Only zero bytes may follow the signature.
// kUnsupported for opaque data of a larger major version or of another profile, kBadGpuEvidence for all other errors.
Result<SpdmReport> parse_spdm_report(ByteView bytes);

// For the simulator: the bytes to sign, to which the caller appends the 96-byte signature. The report must be one that
// parse_spdm_report could return: at most 255 measurements, 65,535 bytes of opaque data.
Bytes write_spdm_signed_region(const SpdmReport& report);

}  // namespace cloister::codec
