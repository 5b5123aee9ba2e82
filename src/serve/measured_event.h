// Measures what a node runs with into the TEE's runtime register (RTMR3), once.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "tee/tee.h"

namespace cloister::serve {

// Extends RTMR3 by the event `name` with the digest as its payload, unless the last event of that name in the TEE's log
// has this digest already (a restart in the same machine). A TEE that cannot be extended (kUnsupported) is logged and
// is no error: its reports name the digest, its registers do not. After any other error nobody knows whether the
// register was extended. Slow, as a quote is.
Result<void> measure_event(tee::Tee& tee, std::string_view name, const ByteArray<32>& digest);

}  // namespace cloister::serve
