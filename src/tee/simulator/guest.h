// What runs on the simulated machine: an application as dstack describes one, its event log, and the measurements that
// the log replays to (attestation.md section 6). All of it says that it is simulated.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/tdx_quote.h"
#include "evidence/event_log.h"
#include "tee/tee.h"

namespace cloister::tee {

struct Guest {
  std::vector<evidence::Event> events;
  codec::TdReport report;  // with report data of zero
  TeeInfo info;
};

Result<Guest> make_guest(ByteView seed, const std::string& app_name);

}  // namespace cloister::tee
