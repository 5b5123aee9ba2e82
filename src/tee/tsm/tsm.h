// The TEE as the kernel shows it to any program of a confidential VM: configfs-tsm, with Intel TDX or AMD SEV-SNP
// behind it. It has no agent and no key provider: derive_key() is kUnsupported.
#pragma once

#include <filesystem>
#include <memory>

#include "tee/tdx/guest_log.h"
#include "tee/tee.h"

namespace cloister::tee {

struct TsmOptions {
  std::filesystem::path root = "/sys/kernel/config/tsm/report";
  int timeout_s = 35;  // the kernel allows 30 s for a TDX quote
  GuestLogOptions log;
};

// Takes one report at once. type() is "tdx" or "sev_snp", or "insecure_simulator" when that report's chain ends in the
// simulator's root. For an SEV-SNP guest quote() gives the attestation report, and info() holds the host's newest
// certificate table as `snp_certificate_table` (base64); such a guest has no event log and no register to extend.
Result<std::unique_ptr<Tee>> make_tsm(TsmOptions options);

}  // namespace cloister::tee
