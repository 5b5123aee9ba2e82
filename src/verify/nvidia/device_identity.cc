#include "verify/nvidia/device_identity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace cloister::verify {
namespace {

using codec::OpaqueField;

// Which word in the device certificate's name belongs to which architecture.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kModels = {
    {{"GH100", "HOPPER"}, {"GB", "BLACKWELL"}, {"GR1", "RUBIN"}, {"LS_10", "LS10"}}};

constexpr std::size_t kMostVersionParts = 8;

std::optional<std::vector<std::uint64_t>> version_parts(std::string_view text, int base) {
  std::vector<std::uint64_t> out;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, base);
    if (error != std::errc() || end != part.data() + part.size() || out.size() == kMostVersionParts)
      return std::nullopt;
    out.push_back(value);
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  out.resize(kMostVersionParts);
  return out;
}

}  // namespace

std::string device_arch(const crypto::Certificate& device) {
  const std::string model = device.subject_common_name();
  const auto known =
      std::ranges::find_if(kModels, [&](const auto& entry) { return model.find(entry.first) != std::string::npos; });
  return known == kModels.end() ? std::string() : std::string(known->second);
}

std::string padded_text(const codec::SpdmReport& report, OpaqueField field) {
  const auto found = report.opaque.find(static_cast<std::uint16_t>(field));
  if (found == report.opaque.end()) return {};
  std::string_view text = as_text(found->second);
  while (text.ends_with('\0')) text.remove_suffix(1);
  return std::string(text);
}

std::string driver_version(const codec::SpdmReport& report) { return padded_text(report, OpaqueField::kDriverVersion); }

std::string vbios_version(const codec::SpdmReport& report) {
  const auto found = report.opaque.find(static_cast<std::uint16_t>(OpaqueField::kVbiosVersion));
  if (found == report.opaque.end()) return {};
  const Bytes& b = found->second;
  if (b.size() != 8) return padded_text(report, OpaqueField::kVbiosVersion);
  char text[16];
  std::snprintf(text, sizeof text, "%02X.%02X.%02X.%02X.%02X", b[3], b[2], b[1], b[0], b[4]);
  return text;
}

std::string ueid(const std::vector<crypto::Certificate>& chain) {
  if (chain.empty()) return {};
  // Serial numbers have at most 20 bytes in practice; DER allows any size, so the work is bounded here.
  Bytes number = chain[0].serial();
  if (number.size() > 64) return {};
  std::string digits;
  while (!number.empty()) {
    unsigned remainder = 0;
    for (std::uint8_t& byte : number) {
      const unsigned value = remainder << 8 | byte;
      byte = static_cast<std::uint8_t>(value / 10);
      remainder = value % 10;
    }
    digits.push_back(static_cast<char>('0' + remainder));
    while (!number.empty() && number.front() == 0) number.erase(number.begin());
  }
  std::ranges::reverse(digits);
  return digits.empty() ? "0" : digits;
}

Bytes device_pdi(const std::vector<crypto::Certificate>& chain) {
  constexpr std::size_t kSerialSize = 9;
  const Bytes serial = chain.size() < 2 ? Bytes() : chain[1].serial();
  return serial.size() == kSerialSize ? Bytes(serial.begin() + 1, serial.end()) : Bytes();
}

std::optional<std::strong_ordering> compare_versions(std::string_view a, std::string_view b, int base) {
  const auto left = version_parts(a, base);
  const auto right = version_parts(b, base);
  if (!left || !right) return std::nullopt;
  return *left <=> *right;
}

}  // namespace cloister::verify
