// RTMR3 as the kernel lets a running TDX guest extend it, and the log of what this machine's Cloister put there.
//
// The register is a file of 48 bytes: reading gives its value, writing extends it (Documentation/ABI/testing/
// sysfs-devices-virtual-misc-tdx_guest, Linux 6.16 and later). The kernel keeps no log, so the log is ours: one file a
// boot, because the register starts anew with each. Without the log nobody could replay the register.
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
  // How the register is extended by a digest; empty: one write to its file.
  std::function<Result<void>(ByteView digest)> write = {};
};

class RuntimeRegister {
 public:
  explicit RuntimeRegister(RuntimeRegisterOptions options) : options_(std::move(options)) {}

  bool available() const;
  std::string path() const { return options_.register_file.string(); }

  // What was measured through this log since the machine started, in order; empty when nothing was. Any thread and
  // process. An entry that was written but whose extension never happened (a crash between the two) is left out.
  Result<std::vector<evidence::Event>> events() const;

  // Writes the entry, extends the register, and looks at it: kTeeFailed when the register then has another value than
  // the log replays to. A lock on the log keeps other processes of ours out. Refused as well when somebody else extended
  // the register after this log's last entry: a log with a gap proves nothing, and would from then on prove even less.
  Result<void> extend(std::string_view name, ByteView payload) const;

 private:
  Result<std::filesystem::path> log_file() const;
  RuntimeRegisterOptions options_;
};

}  // namespace cloister::tee
