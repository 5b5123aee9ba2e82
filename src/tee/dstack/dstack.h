// The TEE as a dstack guest agent shows it to the applications of its confidential VM (docs/guide/tee.md).
#pragma once

#include <memory>
#include <string>

#include "tee/tdx/runtime_register.h"
#include "tee/tee.h"

namespace cloister::tee {

struct DstackOptions {
  std::string socket;
  int quote_timeout_s = 30;
  int call_timeout_s = 10;
  // Where events are measured when the agent no longer has a call for that.
  RuntimeRegisterOptions native;
};

// Asks the agent once, for a quote too, so that a machine that cannot attest is found before the first prompt. type()
// is "dstack", or "insecure_simulator" when that first quote ends in the simulator's root.
//
// Keys come from the agent's GetKey, by path, so they are the same after a restart and on every replica that the KMS
// gives them to. Of all calls only the newest quote's log and the `info` that belongs to it are kept: when an agent
// dies, the calls of that time fail and no restart is needed.
Result<std::unique_ptr<Tee>> make_dstack(DstackOptions options);

}  // namespace cloister::tee
