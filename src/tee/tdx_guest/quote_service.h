// The two steps from report data to a quote where the kernel has no configfs-tsm (before Linux 6.7): the device makes a
// TDREPORT, and the host's Quote Generation Service signs it. Private to tee.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/qgs_message.h"
#include "evidence/report_data.h"

namespace cloister::tee {

using TdReportBytes = ByteArray<codec::kTdReportSize>;

// TDX_CMD_GET_REPORT0 on `device` (include/uapi/linux/tdx-guest.h).
Result<TdReportBytes> take_td_report(const std::filesystem::path& device, const evidence::ReportData& report_data);

// The report data of a TDREPORT, at offset 128.
evidence::ReportData report_data_of(const TdReportBytes& report);

// Opens a stream socket to the service: the host's vsock (CID 2) at this port. kNoTee when nobody listens.
Result<int> connect_quote_service(std::uint32_t port, int timeout_s);

// Sends the report, reads the quote and closes `socket`. Bounded by `timeout_s` in all and by 64 KiB. Errors: kTimeout,
// kTeeFailed.
Result<Bytes> ask_quote_service(int socket, const TdReportBytes& report, int timeout_s);

// The `port = N` of Intel's configuration file; 0 when there is no file, or no valid port in it.
std::uint32_t configured_port(const std::filesystem::path& configuration);

}  // namespace cloister::tee
