// The boot log of a TDX guest without an agent: ACPI's CCEL table, as the firmware and the boot loader wrote it (UEFI
// 2.10, section 38.4.1). Private to tee.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/event_log.h"

namespace cloister::tee {

// Registers 0 to 3, without payloads, as agents leave them out: the digests are what replays. Empty when the table does not
// exist, as on machines whose firmware writes none: then nobody can replay the boot registers, and verifiers refuse the quote.
Result<std::vector<evidence::Event>> read_boot_log(const std::filesystem::path& ccel_data);

// The table unchanged, at most 1 MiB; absent where there is none.
Result<std::optional<Bytes>> read_boot_table(const std::filesystem::path& ccel_data);

}  // namespace cloister::tee
