#include "tee/tdx/guest_log.h"

#include <string>

#include "tee/tdx/boot_log.h"

namespace cloister::tee {

Result<std::vector<evidence::Event>> GuestLog::events() const {
  TRY(events, read_boot_log(ccel_data_));
  TRY(runtime, runtime_.events());
  events.insert(events.end(), runtime.begin(), runtime.end());
  return events;
}

Result<std::optional<Bytes>> GuestLog::boot_table() const { return read_boot_table(ccel_data_); }

Result<void> GuestLog::extend(std::string_view name, ByteView payload) const {
  if (!runtime_.available()) {
    return fail(ErrorCode::kUnsupported,
                runtime_.path() +
                    " cannot be written: this kernel shows no measurement registers (Linux 6.16 does), or "
                    "this process may not extend them");
  }
  return runtime_.extend(name, payload);
}

Result<SecretBytes> no_sealed_key(std::string_view type) {
  return fail(ErrorCode::kUnsupported, "a TEE of the kind " + std::string(type) +
                                           " without a key provider has no secret that survives a restart");
}

}  // namespace cloister::tee
