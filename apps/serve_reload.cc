#include "apps/serve_reload.h"

#include "apps/policy_parts.h"
#include "apps/serve_config.h"
#include "base/log.h"
#include "serve/policy_document.h"

namespace cloister::apps {
namespace {

// First measured, then in force.
Result<void> change_log_level(ServeOptions& options, const std::string& text, const Attested& attested, tee::Tee* tee) {
  TRY(level, log::parse_level(text));
  ServeOptions changed = options;
  changed.log_level = text;
  TRY(policy, policy_of(changed, attested.around));
  TRY_VOID(serve::enter_policy(policy, tee, *attested.identity));
  options.log_level = text;
  log::set_level(level);
  return {};
}

}  // namespace

void reload(ServeOptions& options, serve::BearerAuth& auth, const Attested& attested, tee::Tee* tee) {
  Result<void> done;
  if (!options.api_key_file.empty()) done = auth.reload(options.api_key_file);
  if (!done) log::error("reload: the tokens stay as they were: " + done.error().message);
  if (!options.config_file.empty()) {
    ServeOptions fresh;
    fresh.log_level.clear();
    Result<void> changed = read_serve_config(options.config_file, fresh);
    if (changed && !fresh.log_level.empty()) changed = change_log_level(options, fresh.log_level, attested, tee);
    if (!changed) return log::error("reload: the log level stays as it was: " + changed.error().message);
  }
  log::info("reloaded");
}

}  // namespace cloister::apps
