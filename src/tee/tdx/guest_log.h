// What both kernel interfaces of TDX share: the event log of the boot and of the running guest, and the answers to
// calls that a bare TDX guest cannot serve.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"
#include "evidence/event_log.h"
#include "tee/tdx/runtime_register.h"

namespace cloister::tee {

struct GuestLogOptions {
  std::filesystem::path ccel_data = "/sys/firmware/acpi/tables/data/CCEL";
  RuntimeRegisterOptions runtime;
};

class GuestLog {
 public:
  explicit GuestLog(GuestLogOptions options)
      : ccel_data_(std::move(options.ccel_data)), runtime_(std::move(options.runtime)) {}

  // Returns the boot's events, then those of the running guest.
  Result<std::vector<evidence::Event>> events() const;
  // The boot's own table, for verifiers that want to parse it themselves.
  Result<std::optional<Bytes>> boot_table() const;
  // kUnsupported where the kernel shows no measurement registers.
  Result<void> extend(std::string_view name, ByteView payload) const;

 private:
  std::filesystem::path ccel_data_;
  RuntimeRegister runtime_;
};

// Always fails with kUnsupported and the reason.
Result<SecretBytes> no_sealed_key(std::string_view type);

}  // namespace cloister::tee
