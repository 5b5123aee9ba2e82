// RTMR3 as the kernel lets a running TDX guest extend it, and the log of what this machine's Cloister measured there.
//
// The register is a file of 48 bytes: reading gives its value, writing extends it (Documentation/ABI/testing/
// sysfs-devices-virtual-misc-tdx_guest, Linux 6.16 and later). The kernel keeps no log, so Cloister keeps one: one file
// for each boot, because each boot resets the register. Without the log nobody could replay the register.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/event_log.h"

namespace cloister::tee {

struct RuntimeRegisterOptions {
  std::filesystem::path register_file = "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384";
  std::filesystem::path log_folder = "/run/cloister";
  std::filesystem::path boot_id_file = "/proc/sys/kernel/random/boot_id";
  // Extends the register by a digest; empty: by one write to the register's file.
  std::function<Result<void>(ByteView digest)> write = {};
};

class RuntimeRegister {
 public:
  explicit RuntimeRegister(RuntimeRegisterOptions options) : options_(std::move(options)) {}

  bool available() const;
  std::string path() const { return options_.register_file.string(); }

  // Returns what was measured through this log since the machine started, in order; empty when nothing was. Any thread
  // and process. An entry that was written but whose extension never happened (a crash between the two) is left out.
  Result<std::vector<evidence::Event>> events() const;

  // Writes the entry, extends the register, and reads it: kTeeFailed when the register then has another value than the
  // log replays to. A lock on the log excludes our other processes. Refused as well when somebody else extended the
  // register after this log's last entry: a log with a gap proves nothing, and would prove even less from then on.
  Result<void> extend(std::string_view name, ByteView payload) const;

 private:
  Result<std::filesystem::path> log_file() const;
  RuntimeRegisterOptions options_;
};

}  // namespace cloister::tee
