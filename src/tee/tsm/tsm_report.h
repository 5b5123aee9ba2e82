// One report through the kernel's configfs-tsm (Linux 6.7 and later;
// Documentation/ABI/testing/configfs-tsm-report). Private to tee.
#pragma once

#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/report_data.h"

namespace cloister::tee {

struct TsmReport {
  std::string provider;  // "tdx_guest", "sev_guest"
  Bytes outblob;         // TDX quote, or SEV-SNP attestation report
  Bytes auxblob;         // SEV-SNP: the certificate table that the host gave; else empty
};

// Makes an entry of its own under `root`, uses it once and removes it, so that no other process can write between our
// write and our read; the generation counter shows that none did. The kernel serves one quote at a time, so a busy
// entry is tried again, for `timeout_s` in all. Any thread. Errors: kNoTee when `root` does not exist or has no
// provider, kTimeout, kTeeFailed.
Result<TsmReport> take_tsm_report(const std::filesystem::path& root, const evidence::ReportData& report_data,
                                  int timeout_s);

// The provider alone, for callers that choose an interface.
Result<std::string> tsm_provider(const std::filesystem::path& root, int timeout_s);

}  // namespace cloister::tee
