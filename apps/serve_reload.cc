#include "apps/serve_reload.h"

#include <algorithm>
#include <string>
#include <vector>

#include "apps/serve_config.h"
#include "apps/serve_parts.h"
#include "base/log.h"
#include "config/option.h"
#include "config/option_checks.h"

namespace cloister::apps {
namespace {

// A key is put into the keyset once connections can show it, and a pair that does not fit is refused before anybody is
// told of its key. A self-signed certificate is made anew for the same key.
Result<void> change_tls(const config::ServeOptions& options, const Reloading& parts) {
  TRY(tls, make_tls(options, parts.keyring));
  if (!tls.identity) return {};
  if (!tls.no_certificate.empty()) return fail(ErrorCode::kBadCertificate, tls.no_certificate);
  TRY_VOID(parts.server.set_tls(*tls.identity));
  parts.attested.identity->set_tls_key(*tls.key.spki_sha256);
  return {};
}

// Takes the values that a running node can change, where the file names them and the command line does not. They are first measured, then
// in force.
Result<void> take_values(config::ServeOptions& options, const config::ServeOptions& fresh, const ConfigLines& lines,
                         const Reloading& parts) {
  config::ServeOptions changed = options;
  std::vector<std::string> taken;
  for (const config::Option& row : config::serve_option_table()) {
    const std::string name(row.name);
    if (row.on_sighup != config::OnSighup::kValue || !lines.contains(name)) continue;
    if (parts.config_changes.is_of_command_line(name)) continue;
    config::copy_value(row, fresh, changed);
    taken.push_back(name);
  }
  if (taken.empty()) return {};
  TRY(level, log::parse_level(changed.log_level));
  TRY_VOID(config::change_policy(changed, parts.attested, parts.tee));
  options = std::move(changed);
  log::set_level(level);
  for (const std::string& name : taken) parts.config_changes.was_applied(name, lines);
  return {};
}

bool is_taken(const std::string& name) {
  return std::ranges::any_of(config::serve_option_table(), [&](const config::Option& row) {
    return row.name == name && row.on_sighup == config::OnSighup::kValue;
  });
}

// `waiting` gets the names of the options that have changed and need a restart. A file with which the node would not start again is an error.
Result<void> reload_config(config::ServeOptions& options, const Reloading& parts, std::string& waiting) {
  config::ServeOptions fresh;
  TRY(lines, read_serve_config(parts.config_changes.path(), fresh));
  for (const config::Option& row : config::serve_option_table()) {
    if (parts.config_changes.is_of_command_line(std::string(row.name))) config::copy_value(row, options, fresh);
  }
  TRY_VOID(config::check_options(fresh));
  Result<void> taken = take_values(options, fresh, lines, parts);
  for (const std::string& option : parts.config_changes.waiting(lines)) {
    if (is_taken(option)) continue;  // it is in force, or has a complaint of its own
    waiting += (waiting.empty() ? "" : ", ") + option;
  }
  return taken;
}

}  // namespace

void reload(config::ServeOptions& options, const Reloading& parts) {
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
  if (!parts.config_changes.path().empty()) {
    note("the log level stays as it was", reload_config(options, parts, waiting));
  }
  if (!all) log::error("reload: not everything was reloaded; everything that is not named above was");
  if (!waiting.empty())
    return log::warn("reload: the configuration file has changed, and these changes need a restart: " + waiting);
  if (all) log::info("reloaded");
}

}  // namespace cloister::apps
