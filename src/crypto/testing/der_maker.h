// For tests only: DER objects related to certificates that our code never issues, put together by hand.
#pragma once

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/ecdsa.h"

namespace cloister::testing {

inline Bytes der(std::uint8_t tag, ByteView content) {
  Bytes out = {tag};
  const std::size_t size = content.size();
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else {
    const int bytes = size > 0xffff ? 3 : size > 0xff ? 2 : 1;
    out.push_back(static_cast<std::uint8_t>(0x80 | bytes));
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  append(out, content);
  return out;
}

inline Bytes der_text(std::uint8_t tag, std::string_view text) { return der(tag, as_bytes(text)); }

inline Bytes der_list(std::uint8_t tag, std::initializer_list<Bytes> parts) {
  Bytes content;
  for (const Bytes& part : parts) append(content, part);
  return der(tag, content);
}

// Big-endian magnitude.
inline Bytes der_integer(ByteView magnitude) {
  while (magnitude.size() > 1 && magnitude.front() == 0) magnitude = magnitude.subspan(1);
  Bytes content = to_bytes(magnitude);
  if (content.empty() || (content[0] & 0x80) != 0) content.insert(content.begin(), 0);
  return der(0x02, content);
}

// Content octets of the OID, then the value.
inline Bytes der_extension(const Bytes& oid, bool critical, const Bytes& value) {
  return critical ? der_list(0x30, {der(0x06, oid), der(0x01, Bytes{0xff}), der(0x04, value)})
                  : der_list(0x30, {der(0x06, oid), der(0x04, value)});
}

// UTCTime up to 2049, GeneralizedTime later, as RFC 5280 demands.
inline Bytes der_time(UnixSeconds time) {
  std::string digits;
  for (const char c : to_rfc3339(time)) {
    if (c != '-' && c != ':' && c != 'T') digits.push_back(c);
  }
  return digits < "2050" ? der_text(0x17, digits.substr(2)) : der_text(0x18, digits);
}

// A revocation list (RFC 5280, section 5), which tests can make wrong.
struct CrlMaker {
  std::string issuer_common_name;
  std::string organization;
  UnixSeconds this_update = 0;
  std::optional<UnixSeconds> next_update;
  std::vector<Bytes> revoked;           // serial numbers
  std::vector<Bytes> extensions;        // der_extension() each
  std::vector<Bytes> entry_extensions;  // for each entry

  Bytes sign(const crypto::EcKey& key) const {
    Bytes entries;
    for (const Bytes& serial : revoked) {
      Bytes entry = der_integer(serial);
      append(entry, der_time(this_update));
      if (!entry_extensions.empty()) append(entry, der(0x30, join(entry_extensions)));
      append(entries, der(0x30, entry));
    }
    const bool p256 = key.curve() == crypto::Curve::kP256;
    // ecdsa-with-SHA256, ecdsa-with-SHA384
    const Bytes algorithm =
        der(0x30, der(0x06, Bytes{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, std::uint8_t(p256 ? 2 : 3)}));
    Bytes list = der_integer(Bytes{1});  // version 2
    append(list, algorithm);
    append(list, name());
    append(list, der_time(this_update));
    if (next_update) append(list, der_time(*next_update));
    if (!revoked.empty()) append(list, der(0x30, entries));
    if (!extensions.empty()) append(list, der(0xa0, der(0x30, join(extensions))));
    const Bytes signed_part = der(0x30, list);
    const Bytes raw = key.sign(signed_part);
    const ByteView r = ByteView(raw).first(raw.size() / 2);
    const ByteView s = ByteView(raw).subspan(raw.size() / 2);
    Bytes bits = {0};
    append(bits, der_list(0x30, {der_integer(r), der_integer(s)}));
    return der_list(0x30, {signed_part, algorithm, der(0x03, bits)});
  }

 private:
  static Bytes join(const std::vector<Bytes>& parts) {
    Bytes out;
    for (const Bytes& part : parts) append(out, part);
    return out;
  }
  static Bytes attribute(std::uint8_t type, const std::string& text) {
    return der(0x31, der_list(0x30, {der(0x06, Bytes{0x55, 0x04, type}), der_text(0x0c, text)}));
  }
  Bytes name() const {
    Bytes out = attribute(3, issuer_common_name);
    if (!organization.empty()) append(out, attribute(10, organization));
    return der(0x30, out);
  }
};

}  // namespace cloister::testing
