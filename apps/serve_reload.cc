#include "apps/serve_reload.h"

#include <string>

#include "apps/policy_parts.h"
#include "apps/serve_config.h"
#include "base/log.h"
#include "identity/policy_document.h"

namespace cloister::apps {
namespace {

// A key is put into the keyset once connections can show it, and a pair that does not fit is refused before anybody is
// told of its key. A self-signed certificate is made anew for the same key.
Result<void> change_tls(const ServeOptions& options, const Reloading& parts) {
  TRY(tls, make_tls(options, parts.attested.around.listen, parts.keyring));
  if (!tls.identity) return {};
  if (!tls.no_certificate.empty()) return fail(ErrorCode::kBadCertificate, tls.no_certificate);
  TRY_VOID(parts.server.set_tls(*tls.identity));
  parts.attested.identity->set_tls_key(*tls.spki_sha256);
  return {};
}

// The level is first measured, then in force.
Result<void> change_log_level(ServeOptions& options, const std::string& text, const Reloading& parts) {
  TRY(level, log::parse_level(text));
  ServeOptions changed = options;
  changed.log_level = text;
  TRY(policy, policy_of(changed, parts.attested.around));
  TRY_VOID(identity::enter_policy(policy, parts.tee, *parts.attested.identity));
  options.log_level = text;
  log::set_level(level);
  return {};
}

// The log level alone changes while a node serves. `waiting` gets the names of the options that have changed and need a restart.
Result<void> reload_config(ServeOptions& options, const Reloading& parts, std::string& waiting) {
  ServeOptions fresh;
  fresh.log_level.clear();
  TRY(lines, read_serve_config(options.config_file, fresh));
  Result<void> changed;
  if (!fresh.log_level.empty() && !parts.config_changes.is_of_command_line("log-level")) {
    changed = change_log_level(options, fresh.log_level, parts);
    if (changed) parts.config_changes.was_applied("log-level", lines);
  }
  for (const std::string& option : parts.config_changes.waiting(lines)) {
    if (option == "log-level" && !changed) continue;  // it has a complaint of its own
    waiting += (waiting.empty() ? "" : ", ") + option;
  }
  return changed;
}

}  // namespace

void reload(ServeOptions& options, const Reloading& parts) {
  bool all = true;
  std::string waiting;
  const auto note = [&all](const char* kept, const Result<void>& done) {
    if (done) return;
    all = false;
    log::error(std::string("reload: ") + kept + ": " + done.error().message);
  };
  if (!options.api_key_file.empty()) note("the tokens stay as they were", parts.auth.reload(options.api_key_file));
  if (parts.operators != nullptr)
    note("the operator's tokens stay as they were", parts.operators->reload(options.admin_token_file));
  note("the TLS certificate stays as it was", change_tls(options, parts));
  if (!options.config_file.empty()) {
    note("the log level stays as it was", reload_config(options, parts, waiting));
  }
  if (!all) log::error("reload: not everything was reloaded; everything that is not named above was");
  if (!waiting.empty())
    return log::warn("reload: the configuration file has changed, and these changes need a restart: " + waiting);
  if (all) log::info("reloaded");
}

}  // namespace cloister::apps
