// AMD's certificate chains: a P-384 leaf (VCEK or VLEK) under two RSA-4096 authorities that sign with RSA-PSS (AMD
// 57230, VCEK Certificate and KDS Interface Specification). Any thread.
#pragma once

#include <vector>

#include "crypto/x509.h"

namespace cloister::crypto {

// Verifies a chain of exactly three, leaf first, that ends in `root`, byte for byte: names, signatures (RSA-PSS with
// SHA-384, MGF1 with SHA-384, 48 bytes of salt), key kinds and sizes, validity at `time`, CA flags, path lengths and
// key usages of the two authorities, no critical extension but those. The leaf's serial is zero in genuine chains.
Result<void> verify_amd_certificate_chain(const std::vector<Certificate>& chain, const Certificate& root,
                                          UnixSeconds time);

struct AmdCrlWindow {
  UnixSeconds this_update = 0;
  UnixSeconds next_update = 0;
};

// Verifies a CRL (DER, at most 1 MiB) that `root` signed and that is valid at `time`: thisUpdate <= time < nextUpdate.
// An error when it lists the serial number of one of `issued`, which `root` has issued, or of `root` itself.
Result<AmdCrlWindow> verify_amd_crl(ByteView der, const Certificate& root, const std::vector<Certificate>& issued,
                                    UnixSeconds time);

}  // namespace cloister::crypto
