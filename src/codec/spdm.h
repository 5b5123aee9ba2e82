// NVIDIA GPU attestation reports: an SPDM 1.1 GET_MEASUREMENTS request and its response, with NVIDIA's opaque fields.
// attestation.md section 8.2, 8.3. No judgement here: verify/nvidia does that.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

struct SpdmMeasurement {
  std::uint8_t index = 0;  // 1-based
  Bytes value;             // 48 bytes in practice
};

enum class OpaqueField : std::uint16_t {
  kDriverVersion = 3,
  kVbiosVersion = 6,
  kNvdec0Status = 11,
  kChipSku = 15,
  kChipSkuMod = 16,
  kProject = 17,
  kProjectSku = 18,
  kProjectSkuMod = 19,
  kFwid = 20,
  kProtectedPcieStatus = 21,
  kDevicePdi = 22,         // a switch: its own; a GPU: those of the switches that it sees, each byte-reversed
  kSwitchLockStatus = 25,
  kSwitchGpuPdis = 26,     // a switch: those of the GPUs that it sees
  kOpaqueDataVersion = 34,
  kChipInfo = 35,
  kFeatureFlag = 36,
};

struct SpdmReport {
  ByteArray<32> request_nonce{};     // inside the signed request: the verifier's
  ByteArray<32> responder_nonce{};   // the device's own
  std::vector<SpdmMeasurement> measurements;
  std::map<std::uint16_t, Bytes> opaque;  // unknown types kept; duplicates are an error
  ByteArray<96> signature{};         // r || s, P-384
  Bytes signed_region;               // request and response up to the signature

  // Text field with its trailing NUL removed; empty when absent.
  std::string opaque_text(OpaqueField field) const;
};

// At most 64 KiB. The request must be the one that asks for all measurements with a signature; blocks must fill the
// record and be as many as the header says, indices be unique and not 0; after the signature only zero bytes.
Result<SpdmReport> parse_spdm_report(ByteView bytes);

// For the simulator: the bytes to sign, to which the caller appends the 96-byte signature. The report must be one that
// parse_spdm_report could return: at most 255 measurements, 65,535 bytes of opaque data.
Bytes write_spdm_signed_region(const SpdmReport& report);

}  // namespace cloister::codec
