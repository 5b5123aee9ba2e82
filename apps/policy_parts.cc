#include "apps/policy_parts.h"

#include <arpa/inet.h>

#include <algorithm>

#include "apps/receipt_parts.h"
#include "engine/upstream/upstream_engine.h"
#include "evidence/key_configuration.h"
#include "http/outgoing.h"
#include "identity/policy_document.h"

namespace cloister::apps {
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

// Where an upstream is, as far as a verifier has to know: the document is public, and a network's addresses are not. A
// name without a dot is a service of the compose file, which reports show anyway.
std::string place_of(const std::string& url_text) {
  const auto url = engine::parse_upstream_url(url_text);
  if (url && !url->unix_socket.empty()) return "unix:";
  if (is_loopback(url_text)) return "http://localhost";
  if (!url || url->host.find_first_of(".:") != std::string::npos) return "http://private";
  return "http://" + http::authority_of(*url);
}

std::string tls_mode(const ServeOptions& options) {
  if (!options.tls.empty()) return options.tls;
  return options.tls_certificate_file.empty() ? "none" : "certificate";
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

Result<Json> policy_of(const ServeOptions& options, const PolicySurroundings& around) {
  identity::PolicyFacts facts;
  facts.version = CLOISTER_VERSION;
  facts.executable = around.executable;
  facts.listen_address = around.listen.address;
  facts.listen_port = around.listen.port;
  facts.tls = tls_mode(options);
  facts.token_required = around.token_required;
  facts.cors_origins = around.cors_origins;
  facts.engine = engine_kind(options);
  facts.serves_itself = serves_itself(options);
  for (const std::string& url : options.upstreams) facts.upstreams.push_back(place_of(url));
  facts.upstream_token = !options.upstream_key_file.empty();
  facts.cache_salt = options.cache_salt;
  facts.shared_prompt_cache = options.share_prompt_cache || options.api_key_file.empty();
  facts.known_answers = around.known_answers;
  facts.tee = around.tee_type;
  facts.gpu_evidence = around.gpu_evidence_type;
  facts.gpu_gate = around.gpu_gate;
  facts.gpu_check_seconds = options.gpu_check_seconds;
  facts.gpu_policy = around.gpu_policy;
  facts.gpu_library = around.gpu_library;
  facts.gpu_manifests = !options.rim_dir.empty();
  facts.body_bytes = options.max_body_bytes;
  facts.reports_per_client_minute = options.report_rate;
  facts.reports_at_once = options.report_burst;
  facts.reports_local_minute = options.report_rate_local;
  facts.upstream_connect_s = options.upstream_connect_timeout_s;
  facts.upstream_first_byte_s = options.upstream_timeout_s;
  facts.upstream_idle_s = options.upstream_idle_timeout_s;
  facts.grace_s = options.grace_seconds;
  facts.log_level = options.log_level;
  facts.log_format = options.log_format;
  facts.signing = options.signing == "on";
  facts.keyset_days = options.keyset_days;
  facts.replicas = options.replicas.size();
  TRY(receipts, receipt_policy(options));
  facts.receipts = std::move(receipts);
  return identity::policy_document(facts);
}

Result<ByteArray<32>> key_configuration_of(const ServeOptions& options, const PolicySurroundings& around) {
  TRY(policy, policy_of(options, around));
  return evidence::key_configuration_digest(policy);
}

}  // namespace cloister::apps
