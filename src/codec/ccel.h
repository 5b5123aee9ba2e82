// The boot log of a confidential VM in TCG's crypto-agile form, to which ACPI's CCEL table points: bytes to events. TCG
// PC Client Platform Firmware Profile, section 10; UEFI 2.10, section 38.4.1. This folder only parses; verify/boot
// verifies the log.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

constexpr std::uint32_t kEvNoAction = 3;  // informative; extends nothing

struct CcelEvent {
  int rtmr = 0;  // zero-based: the log's own index counts from one
  std::uint32_t event_type = 0;
  ByteArray<48> sha384{};
  Bytes data;  // covered by the digest only for some event types
};

// Accepts at most 1 MiB, 8,192 events and 16 digest algorithms, which must include SHA-384. The first entry must be the
// Spec ID event; EV_NO_ACTION events are left out of the result. After the last event only 0xff bytes or only zero
// bytes may follow. Refused: a register other than 1 to 4, a digest of an algorithm that the Spec ID event does not
// name, a duplicate digest, and an event without SHA-384. Errors are kBadEventLog.
Result<std::vector<CcelEvent>> parse_ccel(ByteView bytes);

// Writes the log of these events: the counterpart of the parser, for tests and the simulator. SHA-384 is the only algorithm.
Bytes write_ccel(const std::vector<CcelEvent>& events);

}  // namespace cloister::codec
