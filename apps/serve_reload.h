// What may change while a node serves: the files of tokens, the TLS certificate and its key, and the values of options that the table marks
// (config::OnSighup).
#pragma once

#include "api/auth.h"
#include "apps/config_changes.h"
#include "config/attested.h"
#include "config/serve_options.h"
#include "http/server.h"
#include "identity/keyring.h"
#include "tee/tee.h"

namespace cloister::apps {

// The parts of a running node that receive the change.
struct Reloading {
  api::BearerAuth& auth;
  api::BearerAuth* operators;  // null: none
  const config::Attested& attested;
  const identity::Keyring& keyring;
  http::Server& server;
  tee::Tee* tee = nullptr;  // null: none
  ConfigChanges& config_changes;
};

// Reads all of it again. What cannot be read, or not be measured, stays as it was, and the log says so. `options` then
// holds what is in force. A change that the policy document names begins a new epoch, and so does another TLS key. What else has changed in the
// configuration file is named in the log: it needs a restart.
void reload(config::ServeOptions& options, const Reloading& parts);

}  // namespace cloister::apps
