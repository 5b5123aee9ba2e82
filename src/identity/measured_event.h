// Measured events: what a running node tells the register of its TEE before it rests a proof on it: the model it serves
// (`cloister-model`), the configuration it follows (`cloister-policy`). The payload is the SHA-256 of the document's
// canonical form, 32 bytes. Before it loads a GPU library that the operator named (`cloister-gpu-library`), the payload is the SHA-256 of
// the library's file.
//
// A register cannot be reset, and outlives the process: a node that starts again in the same machine finds the events
// of its predecessor. The last event of a name is the one in force; the verifier can see the earlier ones.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "tee/tee.h"

namespace cloister::identity {

inline constexpr std::string_view kModelEvent = "cloister-model";
inline constexpr std::string_view kPolicyEvent = "cloister-policy";
inline constexpr std::string_view kGpuLibraryEvent = "cloister-gpu-library";

// What becomes of an event where the TEE cannot measure at run time.
enum class Unmeasured {
  kLogged,   // the node continues, since its quote binds the digest all the same
  kRefused,  // an error: nothing else shows the event
};

// Extends the register, unless the last event of this name in the TEE's log already says the same. After an error the
// register's value is unknown: code that waits for the event must not continue.
//
// As slow as a quote: never call it from an event loop or the engine's compute thread. Calls take turns. Any thread.
Result<void> measure_event(tee::Tee& tee, std::string_view name, const ByteArray<32>& digest,
                           Unmeasured unmeasured = Unmeasured::kLogged);

}  // namespace cloister::identity
