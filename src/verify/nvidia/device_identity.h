// What a device says about itself under its own signature. All checks read it with these functions.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/spdm.h"
#include "crypto/x509.h"

namespace cloister::verify {

// A report's certificates: the key that signs, the device, the provisioner, the model, the root.
inline constexpr std::size_t kDeviceChainLength = 5;
// The first certificate that an OCSP responder answers for. The device itself issues the leaf, which no responder
// knows.
inline constexpr std::size_t kFirstRevocable = 1;

// "HOPPER", "BLACKWELL", "RUBIN" or "LS10" by the model in the device's certificate (chain[1]); empty for any other.
std::string device_arch(const crypto::Certificate& device);
inline bool is_switch(std::string_view arch) { return arch == "LS10"; }

// Returns the text of a field without the zeros that pad it; empty when absent.
std::string padded_text(const codec::SpdmReport& report, codec::OpaqueField field);
std::string driver_version(const codec::SpdmReport& report);  // "550.90.07"; empty for switches
std::string vbios_version(const codec::SpdmReport& report);   // "96.00.A5.00.01"; opaque field 6

// The serial number of the leaf in decimal, as NVIDIA's service gives it in the claim `ueid`.
std::string ueid(const std::vector<crypto::Certificate>& chain);

// The device's PDI, by which switches and GPUs name each other: the last eight of the nine bytes of its certificate's
// serial number (chain[1]), as on every genuine machine. Empty for a serial number of another size.
Bytes device_pdi(const std::vector<crypto::Certificate>& chain);

// Compares numbers between dots, of this base, one by one; missing ones count as zero. Absent when either text has another form.
std::optional<std::strong_ordering> compare_versions(std::string_view a, std::string_view b, int base);

}  // namespace cloister::verify
