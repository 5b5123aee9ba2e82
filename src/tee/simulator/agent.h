// The simulated TEE behind the protocol of a dstack guest agent, so that clients of that protocol, ours and the
// official ones, are tested over a real socket. One socket serves the paths of both generations. Every answer says that
// it is simulated: the chains end in the simulator's root, the names in them begin with INSECURE SIMULATOR, and both
// the version and the header x-insecure-simulator say so.
//
// Two calls do what people around a real guest can do, and exist only here, for attacks in tests:
// `/insecure-simulator/Extend` {"imr","event_type","event","payload","digest"} extends a register as code with the TDX
// device can, and logs the entry as given (without `digest`: by the digest of a runtime event of that name and payload);
// `/insecure-simulator/ServeLog` {"event_log"} makes every quote come with this text as its log, as a host can.
#pragma once

#include <memory>

#include "http/server.h"
#include "tee/simulator/simulator.h"

namespace cloister::tee {

// http::Server serves the handler on a Unix socket; it answers on the loop's thread, in a few milliseconds each. What a
// running guest measures (EmitEvent, with any name, as a real agent accepts it) lasts as long as this object, whose end
// stands for the machine's restart. Not simulated, and refused: RA-TLS certificates (usage_ra_tls) and the versioned
// attestation (Attest).
Result<std::unique_ptr<http::Handler>> make_simulated_agent(SimulatorOptions options);

}  // namespace cloister::tee
