// The roots that evidence of NVIDIA's devices must end in. All code passes the pinned ones; tests may pass their own.
#pragma once

#include "verify/nvidia/nras_keys.h"
#include "verify/roots.h"

namespace cloister::verify {

struct NvidiaRoots {
  const crypto::Certificate* device = pinned_root(RootUse::kGpu, RootKind::kVendor);
  const crypto::Certificate* rim = pinned_root(RootUse::kRim, RootKind::kVendor);
  const crypto::Certificate* nras = pinned_nras_authority();

  // The kind of root that this device chain ends in, byte for byte.
  RootKind kind_of(const std::vector<crypto::Certificate>& chain) const {
    if (device != nullptr && !chain.empty() && chain.back().der() == device->der()) return RootKind::kVendor;
    const RootKind kind = claimed_root(RootUse::kGpu, chain);
    return kind == RootKind::kVendor ? RootKind::kUnknown : kind;
  }
  const crypto::Certificate* device_root(RootKind kind) const {
    return kind == RootKind::kVendor ? device : pinned_root(RootUse::kGpu, kind);
  }
};

}  // namespace cloister::verify
