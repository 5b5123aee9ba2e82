#include "config/effects.h"

#include <arpa/inet.h>

#include <algorithm>

#include "engine/upstream/upstream_engine.h"
#include "http/outgoing.h"

namespace cloister::config {
namespace {

// An address, and no name that begins like one.
bool is_loopback_address(const std::string& host) {
  in_addr v4{};
  return ::inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

bool is_loopback(const std::string& url_text) {
  const auto url = engine::parse_upstream_url(url_text);
  return url && (!url->unix_socket.empty() || url->host == "localhost" || url->host == "::1" ||
                 is_loopback_address(url->host));
}

}  // namespace

std::string engine_kind(const ServeOptions& options) {
  if (!options.engine.empty()) return options.engine;
  if (!options.upstreams.empty()) return "upstream";
#ifdef CLOISTER_HAVE_LLAMA
  return "llama";
#else
  return options.model_path.empty() ? "echo" : "llama";
#endif
}

bool serves_itself(const ServeOptions& options) {
  if (options.serving != "auto") return options.serving == "direct";
  return engine_kind(options) != "upstream" || std::ranges::all_of(options.upstreams, is_loopback);
}

std::string place_of_upstream(const std::string& url_text) {
  const auto url = engine::parse_upstream_url(url_text);
  if (url && !url->unix_socket.empty()) return "unix:";
  if (is_loopback(url_text)) return "http://localhost";
  // A name without a dot is a service of the compose file, which reports show anyway.
  if (!url || url->host.find_first_of(".:") != std::string::npos) return "http://private";
  return "http://" + http::authority_of(*url);
}

std::string tls_mode(const ServeOptions& options) {
  if (!options.tls.empty()) return options.tls;
  return options.tls_certificate_file.empty() ? "none" : "certificate";
}

bool needs_token(const ServeOptions& options) { return !options.api_key_file.empty(); }

std::vector<std::string> cors_origins(const ServeOptions& options) {
  if (options.cors_origins.empty() && needs_token(options)) return {"*"};
  return options.cors_origins;
}

bool shares_prompt_cache(const ServeOptions& options) { return options.share_prompt_cache || !needs_token(options); }

}  // namespace cloister::config
