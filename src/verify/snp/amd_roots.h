// AMD's root keys (ARK), one for each kind of processor, compiled in. A root that comes with the evidence is compared
// with these byte for byte and never trusted by itself.
#pragma once

#include <optional>
#include <span>

#include "codec/snp_report.h"
#include "crypto/x509.h"

namespace cloister::verify {

struct AmdRoot {
  codec::SnpProduct product = codec::SnpProduct::kMilan;
  const crypto::Certificate* certificate = nullptr;
};

std::span<const AmdRoot> pinned_amd_roots();
const crypto::Certificate* amd_root(codec::SnpProduct product);
// The one of `roots` that equals `root` byte for byte; null for none.
const AmdRoot* find_amd_root(std::span<const AmdRoot> roots, const crypto::Certificate& root);

}  // namespace cloister::verify
