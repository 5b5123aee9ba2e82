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
  // Where events are measured when the agent has no call for that any more.
  RuntimeRegisterOptions native;
};

// Asks the agent once, quote and all, so that a machine that cannot attest is found out before the first prompt.
// type() is "dstack", or "insecure_simulator" when that first quote ends in the simulator's root.
//
// Keys are the agent's GetKey, by path, so they are the same after a restart and on every replica that the KMS lets have
// them. Nothing of a call is kept but the log of the newest quote and the `info` that goes with it: an agent that dies
// costs the calls of that time and no restart.
Result<std::unique_ptr<Tee>> make_dstack(DstackOptions options);

}  // namespace cloister::tee
