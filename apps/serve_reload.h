// What may change while a node serves: the tokens, and how much it logs.
#pragma once

#include "apps/attested_parts.h"
#include "apps/serve_options.h"
#include "serve/auth.h"
#include "tee/tee.h"

namespace cloister::apps {

// Reads both again. What cannot be read, or not be measured, stays as it was, and the log says so. `options` then holds
// what is in force. A change that the policy document names begins a new epoch. `tee` may be null.
void reload(ServeOptions& options, serve::BearerAuth& auth, const Attested& attested, tee::Tee* tee);

}  // namespace cloister::apps
