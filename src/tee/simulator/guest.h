// What runs on the simulated machine: an application as dstack describes one, its event log, and the measurements that
// the log replays to. All of it says that it is simulated.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/tdx_quote.h"
#include "evidence/event_log.h"
#include "tee/tee.h"

namespace cloister::tee {

// The name of the application's certificate authority, which `info` has as app_cert; its key is derived from the seed by this label.
constexpr std::string_view kAppCaName = "INSECURE SIMULATOR App CA";
constexpr std::string_view kAppCaKeyLabel = "cloister insecure simulator app key v1";

// The root key of the simulated KMS is derived from the seed by this label; the event `key-provider` names the key.
constexpr std::string_view kKmsRootLabel = "kms root key";

struct Guest {
  std::vector<evidence::Event> events;
  codec::TdReport report;  // with report data of zero
  TeeInfo info;
};

// Measures one more event: updates the log, the register and the copies of both in `info`.
void extend_guest(Guest& guest, evidence::Event event);

Result<Guest> make_guest(ByteView seed, const std::string& app_name);

}  // namespace cloister::tee
