// Checks one device against the relying party's policy (NvidiaPolicy in verify/policy.h).
#pragma once

#include <string>

#include "codec/spdm.h"
#include "crypto/x509.h"
#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::verify {

// `arch` is the one in the certificates, empty when unknown.
Check check_allowed_arch(const std::string& id, const std::string& arch, const NvidiaPolicy& policy);
// GPUs report their firmware's digest (FWID) from driver 550 on.
Check check_fwid(const std::string& id, const std::string& arch, const codec::SpdmReport& report,
                 const crypto::Certificate& leaf, const NvidiaPolicy& policy);
// Both checks do not apply to switches, which have no driver and number their firmware differently.
Check check_min_driver(const std::string& id, const std::string& arch, const codec::SpdmReport& report,
                       const NvidiaPolicy& policy);
Check check_min_vbios(const std::string& id, const std::string& arch, const codec::SpdmReport& report,
                      const NvidiaPolicy& policy);

}  // namespace cloister::verify
