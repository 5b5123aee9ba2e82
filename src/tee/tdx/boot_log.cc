#include "tee/tdx/boot_log.h"

#include <system_error>

#include "base/file.h"
#include "codec/ccel.h"

namespace cloister::tee {
namespace {

constexpr std::size_t kMostCcel = 1u << 20;

}  // namespace

Result<std::optional<Bytes>> read_boot_table(const std::filesystem::path& ccel_data) {
  std::error_code ignored;
  if (!std::filesystem::exists(ccel_data, ignored)) return std::optional<Bytes>();
  TRY(text, read_file(ccel_data, kMostCcel));
  return std::optional(to_bytes(as_bytes(text)));
}

Result<std::vector<evidence::Event>> read_boot_log(const std::filesystem::path& ccel_data) {
  std::vector<evidence::Event> out;
  TRY(table, read_boot_table(ccel_data));
  if (!table) return out;
  Result<std::vector<codec::CcelEvent>> events = codec::parse_ccel(*table);
  if (!events) return fail(ErrorCode::kTeeFailed, ccel_data.string() + ": " + events.error().message);
  for (const codec::CcelEvent& entry : *events) {
    evidence::Event event;
    event.imr = entry.rtmr;
    event.event_type = entry.event_type;
    event.digest = entry.sha384;
    out.push_back(std::move(event));
  }
  return out;
}

}  // namespace cloister::tee
