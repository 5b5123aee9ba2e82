// Where collateral comes from. Only these addresses are asked: evidence contributes identifiers alone, which are
// checked before they become part of a path (docs/pitfalls.md, 19).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::collateral {

struct Endpoints {
  // Intel's Provisioning Certification Service, or a PCCS, which has the same paths (Intel PCS API v4).
  std::string intel = "https://api.trustedservices.intel.com";
  // Empty: asked from `intel`, as a PCCS serves it.
  std::string intel_root_crl = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
  std::string nvidia_rim = "https://rim.attestation.nvidia.com";    // reference manifests
  std::string nvidia_ocsp = "https://ocsp.ndis.nvidia.com";         // revocation answers (RFC 6960)
  std::string nvidia_nras = "https://nras.attestation.nvidia.com";  // remote attestation service
  std::string amd_kds = "https://kdsintf.amd.com";                  // AMD 57230
};

// Uses a PCCS's address, with or without its usual path "/sgx/certification/v4/", for everything of Intel's.
void use_pccs(Endpoints& endpoints, std::string_view address);

// Checks each address and cuts trailing slashes: http or https, no user, query or fragment. NRAS needs https unless it
// is this machine, since its key set is trusted because of the channel that it comes through.
Result<void> normalise(Endpoints& endpoints);

// Checks that `address` is https or on this machine.
Result<void> require_tls(const std::string& address, const std::string& name);

}  // namespace cloister::collateral
