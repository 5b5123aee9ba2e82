// What may change while a node serves: the tokens of tenants and operator, the TLS certificate and its key, and the log level.
#pragma once

#include "api/auth.h"
#include "apps/attested_parts.h"
#include "apps/config_changes.h"
#include "apps/serve_options.h"
#include "http/server.h"
#include "identity/keyring.h"
#include "tee/tee.h"

namespace cloister::apps {

// The parts of a running node that receive the change.
struct Reloading {
  api::BearerAuth& auth;
  api::BearerAuth* operators;  // null: none
  const Attested& attested;
  const identity::Keyring& keyring;
  http::Server& server;
  tee::Tee* tee = nullptr;  // null: none
  ConfigChanges& config_changes;
};

// Reads all of it again. What cannot be read, or not be measured, stays as it was, and the log says so. `options` then
// holds what is in force. A change that the policy document names begins a new epoch, and so does another TLS key. What else has changed in the
// configuration file is named in the log: it needs a restart.
void reload(ServeOptions& options, const Reloading& parts);

}  // namespace cloister::apps
