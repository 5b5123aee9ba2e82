// DICE TcbInfo (TCG, DICE Attestation Architecture 1.1, section 6.1.1) in a device's certificate: what the layer that
// issued the certificate measured of the next layer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace cloister::verify {

struct Fwid {
  Bytes algorithm;  // content octets of the digest's OID
  Bytes digest;
};
// Content octets of 2.16.840.1.101.3.4.2.2, SHA-384.
inline constexpr ByteArray<9> kSha384Oid = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};

struct TcbInfo {
  std::optional<std::string> vendor, model, version;
  std::optional<std::uint64_t> svn, layer, index;
  std::vector<Fwid> fwids;
  std::optional<Bytes> vendor_info, type;
  // By the numbers of CoRIM's flags (is-configured 0, is-secure 1, is-recovery 2, is-debug 3, is-replay-protected 4,
  // is-integrity-protected 5, is-runtime-meas 6, is-immutable 7, is-tcb 8), each normalised so that true means what the name says.
  std::map<std::uint64_t, bool> flags;
};

// Parses the extension's value. kUnsupported for integrity registers, kBadCertificate for one that cannot be read.
Result<TcbInfo> parse_tcb_info(ByteView extension);

// Reads the extension 2.23.133.5.4.1.1; absent when the certificate has none. kUnsupported also for a list of several
// (2.23.133.5.4.5).
Result<std::optional<TcbInfo>> read_tcb_info(const crypto::Certificate& certificate);

}  // namespace cloister::verify
