// AMD's root keys (ARK), one for each kind of processor, compiled in. A root that travels with the evidence is compared
// with these byte for byte and never trusted for itself.
#pragma once

#include <optional>

#include "codec/snp_report.h"
#include "crypto/x509.h"

namespace cloister::verify {

const crypto::Certificate* amd_root(codec::SnpProduct product);
// The product whose root `root` is, byte for byte.
std::optional<codec::SnpProduct> claimed_amd_product(const crypto::Certificate& root);

}  // namespace cloister::verify
