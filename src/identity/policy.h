// A node's policy document in force (docs/spec/policy.md). Its digest is in RTMR3, in the native report's statement and in each epoch.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "identity/identity.h"
#include "tee/tee.h"

namespace cloister::identity {

// Puts the policy in force: first its digest in RTMR3 (identity/measured_event.h), then the epoch. After an error the former
// policy stays in force. kUsage when the keys of the identity belong to another configuration. `tee` may be null. Blocking.
Result<void> enter_policy(const Json& policy, tee::Tee* tee, Identity& identity);

}  // namespace cloister::identity
