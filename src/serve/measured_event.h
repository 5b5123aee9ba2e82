// Measured events: what a running node tells the register of its TEE before it rests a proof on it: the model it serves
// (`cloister-model`), the configuration it follows (`cloister-policy`). The payload is the SHA-256 of the document's
// canonical form, 32 bytes. Before it loads a GPU library that the operator named (`cloister-gpu-library`), the payload is the SHA-256 of
// the library's file.
//
// A register cannot be set back, and outlives the process: a node that starts again in the same machine finds the events of
// the one before it. The last event of a name is the one in force; those before it stay for the verifier to see.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "tee/tee.h"

namespace cloister::serve {

inline constexpr std::string_view kModelEvent = "cloister-model";
inline constexpr std::string_view kPolicyEvent = "cloister-policy";
inline constexpr std::string_view kGpuLibraryEvent = "cloister-gpu-library";

// Extends the register, unless the last event of this name in the TEE's log says the same already. A TEE that cannot
// measure at run time is no error: the log says so and the node goes on, its quote binds the digest all the same. After
// any other error it is not known what the register holds: whoever waits for the event must not go on.
//
// Slow as a quote is: never from an event loop or the engine's compute thread. Calls take turns, from any thread.
Result<void> measure_event(tee::Tee& tee, std::string_view name, const ByteArray<32>& digest);

}  // namespace cloister::serve
