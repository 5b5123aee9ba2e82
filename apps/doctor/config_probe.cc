#include "apps/doctor/config_probe.h"

#include "apps/doctor/roots.h"
#include "apps/serve_config.h"
#include "apps/serve_parts.h"
#include "base/file.h"
#include "config/option_conflicts.h"
#include "config/option_forms.h"
#include "engine/upstream/probe.h"
#include "engine/upstream/upstream_engine.h"
#include "http/outgoing.h"
#include "verify/policy/policy_file.h"

namespace cloister::apps {
namespace {

constexpr int kUpstreamPatienceSeconds = 3;

Finding from(const char* id, const Result<void>& result, const std::string& good_words) {
  if (result) return good(id, good_words);
  return problem(id, result.error().message, "correct it; cloister serve --help lists every option");
}

Result<void> check_listen(const config::ServeOptions& options) {
  TRY_VOID(config::check_option_forms(options));
  TRY(listen, config::parse_listen(options.listen));
  TRY_VOID(config::check_option_conflicts(options));
  if (!listen.loopback && options.tls.empty() && options.tls_certificate_file.empty()) {
    return fail(
        ErrorCode::kUsage,
        options.listen + " without TLS: prompts cross the network in the clear (--tls-cert, --tls self-signed)");
  }
  return {};
}

// The keys of the TEE are not needed to read the files.
Result<void> check_tokens(const config::ServeOptions& options) {
  TRY(keyring, identity::Keyring::make(nullptr, {}));
  api::BearerAuth clients = api::BearerAuth::open();
  if (!options.api_key_file.empty()) {
    TRY(auth, make_auth(options, keyring));
    clients = std::move(auth);
  }
  TRY_VOID(make_operators(options, keyring, clients));
  return {};
}

// Only a certificate of one's own needs a check.
Result<void> check_tls(const config::ServeOptions& options) {
  TRY(keyring, identity::Keyring::make(nullptr, {}));
  TRY(tls, make_tls(options, keyring));
  static_cast<void>(tls);
  return {};
}

Result<void> check_gpu_policy(const std::string& path) {
  TRY(text, read_file(path, 1u << 20));
  TRY(policy, verify::parse_policy(text));
  static_cast<void>(policy);
  return {};
}

// Names all upstreams that cannot be used: first the addresses that are not allowed, then those that do not answer.
Finding check_upstreams(const std::vector<std::string>& upstreams) {
  std::string silent;
  for (const std::string& text : upstreams) {
    const auto url = engine::parse_upstream_url(text);
    if (!url) return problem("config.upstream", text + ": " + url.error().message, "change it in the file");
    if (const auto target = http::resolve_private(*url); !target) {
      return problem("config.upstream", text + ": " + target.error().message, "change it in the file");
    }
    http::ClientOptions patience;
    patience.connect_timeout_s = patience.total_timeout_s = kUpstreamPatienceSeconds;
    patience.plain_http = http::PlainHttp::kPrivateNetwork;
    const auto healthy = engine::upstream::check_health(http::Client(*url, patience));
    if (!healthy) silent += (silent.empty() ? "" : "; ") + text + ": " + healthy.error().message;
  }
  if (silent.empty())
    return good("config.upstream", "each of the " + std::to_string(upstreams.size()) + " upstreams answers");
  return problem("config.upstream", "not every upstream answers: " + silent,
                 "start it; until it answers, a node waits and serves no requests");
}

}  // namespace

Findings probe_config(const std::string& path, config::ServeOptions& options) {
  const Result<ConfigLines> read = read_serve_config(path, options);
  Findings out = {from("config.file", read ? Result<void>() : Result<void>(read.error()), path + " can be read")};
  if (out.front().state != FindingState::kOk) return out;
  out.push_back(from("config.listen", check_listen(options), options.listen));
  // The parts are made from options that fit together.
  if (config::check_option_forms(options) && config::check_option_conflicts(options)) {
    const std::string tokens = options.api_key_file.empty() ? options.admin_token_file : options.api_key_file;
    if (!tokens.empty()) out.push_back(from("config.tokens", check_tokens(options), tokens));
    const std::string tls = options.tls.empty() ? options.tls_certificate_file : "--tls " + options.tls;
    if (!tls.empty()) out.push_back(from("config.tls", check_tls(options), tls));
  }
  if (const Result<void> model = config::check_model(options); !model) {
    out.push_back(from("config.model", model, {}));
  } else if (!options.model_path.empty()) {
    out.push_back(is_there(options.model_path) ? good("config.model", options.model_path)
                                               : problem("config.model", options.model_path + " is not there",
                                                         "put the model there, or name another"));
  }
  if (!options.upstreams.empty()) out.push_back(check_upstreams(options.upstreams));
  if (!options.gpu_policy_file.empty()) {
    out.push_back(from("config.gpu_policy", check_gpu_policy(options.gpu_policy_file), options.gpu_policy_file));
  }
  return out;
}

}  // namespace cloister::apps
