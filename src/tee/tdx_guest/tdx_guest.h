// The TEE through /dev/tdx_guest, for kernels without configfs-tsm: a TDREPORT by ioctl, and its quote from the host's
// Quote Generation Service over vsock. The ioctls of Intel's out-of-tree driver ('T', 2 for a quote and 'T', 3 to
// extend a register) are not supported, because no public header of the kernel describes them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "tee/tdx/guest_log.h"
#include "tee/tdx_guest/quote_service.h"
#include "tee/tee.h"

namespace cloister::tee {

struct TdxGuestOptions {
  std::filesystem::path device = "/dev/tdx_guest";
  std::filesystem::path configuration = "/etc/tdx-attest.conf";  // names the port
  std::uint32_t default_port = 4050;
  int timeout_s = 30;
  GuestLogOptions log;
  // Replaces the two steps; empty: they happen on the device and over vsock.
  std::function<Result<TdReportBytes>(const evidence::ReportData&)> take_report = {};
  std::function<Result<int>()> connect = {};
};

// Takes one quote at once. type() is "tdx", or "insecure_simulator" when that quote ends in the simulator's root.
Result<std::unique_ptr<Tee>> make_tdx_guest(TdxGuestOptions options);

}  // namespace cloister::tee
