// GPU evidence as a collection of conceptual messages (CMW, draft-ietf-rats-msg-wrap), the form that NVIDIA's SDK writes for
// its newest devices.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "evidence/nvidia_payload.h"

namespace cloister::evidence {

// True when the object says that it is a collection: it has a member `__cmwc_t`.
bool is_cmw_collection(const Json& object);

// Each device is a collection of its own with `certificate` (base64 of the PEM chain) and `evidence` (base64url of an SPDM
// transcript), each a pair of media type and text. `nonce` may occur in a device and next to the devices, and must be the same
// everywhere. No architecture is named. kUnsupported for another profile or media type, kBadGpuEvidence for all other errors.
Result<NvidiaPayload> parse_cmw_payload(const Json& collection);

}  // namespace cloister::evidence
