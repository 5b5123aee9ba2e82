#include "apps/serve_parts.h"

#include <filesystem>

#include "apps/gpu_parts.h"
#include "apps/model_parts.h"
#include "apps/tee_parts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "engine/echo/echo_engine.h"
#include "engine/upstream/upstream_engine.h"
#include "evidence/simulator_roots.h"

namespace cloister::apps {
namespace {

constexpr std::size_t kPemLimit = 256 << 10;
constexpr std::size_t kTokenLimit = 64 << 10;
constexpr std::int64_t kSelfSignedDays = 397;

Result<std::unique_ptr<engine::Engine>> make_llama(const ServeOptions& options, tee::Tee* tee, serve::Identity& identity) {
#ifdef CLOISTER_HAVE_LLAMA
  TRY(llama, llama_options(options));
  // Without tokens all callers are one.
  llama.share_prompt_cache |= options.api_key_file.empty();
  llama.on_identity = measure_identity(tee, identity);
  return engine::make_llama_engine(std::move(llama));
#else
  (void)options, (void)tee, (void)identity;
  return fail(ErrorCode::kUsage, "this program was built without the embedded engine; use --engine echo");
#endif
}

// The first line of the file, without white space around it.
Result<std::string> read_token(const std::string& path) {
  TRY(text, read_file(path, kTokenLimit));
  std::string token = text.substr(0, text.find('\n'));
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ' || token.back() == '\t')) token.pop_back();
  if (token.empty()) return fail(ErrorCode::kUsage, path + " holds no token in its first line");
  return token;
}

Result<std::unique_ptr<engine::Engine>> make_upstream(const ServeOptions& options, tee::Tee* tee, serve::Identity& identity) {
  if (!options.model_path.empty()) return fail(ErrorCode::kUsage, "--model and --upstream exclude each other");
  engine::UpstreamOptions upstream;
  upstream.urls = options.upstreams;
  upstream.connect_timeout_s = options.upstream_connect_timeout_s;
  upstream.first_byte_timeout_s = options.upstream_timeout_s;
  upstream.idle_timeout_s = options.upstream_idle_timeout_s;
  upstream.cache_salt = options.cache_salt == "on"    ? engine::CacheSalt::kOn
                        : options.cache_salt == "off" ? engine::CacheSalt::kOff
                                                      : engine::CacheSalt::kAuto;
  if (!options.upstream_key_file.empty()) {
    TRY(token, read_token(options.upstream_key_file));
    upstream.bearer_token = std::move(token);
  }
  upstream.model_files = options.upstream_model_files;
  if (upstream.urls.size() == 1) upstream.serving_software = software_claim(tee, upstream.urls.front());
  upstream.on_identity = measure_identity(tee, identity);
  return engine::make_upstream_engine(std::move(upstream));
}

}  // namespace

Result<std::unique_ptr<engine::Engine>> make_engine(const ServeOptions& options, tee::Tee* tee, serve::Identity& identity) {
  if (options.engine == "upstream" || (options.engine.empty() && !options.upstreams.empty())) {
    return make_upstream(options, tee, identity);
  }
  if (!options.upstream_model_files.empty()) return fail(ErrorCode::kUsage, "--upstream-model-files needs --upstream");
  if (!options.upstreams.empty()) return fail(ErrorCode::kUsage, "--upstream needs --engine upstream, or no --engine");
  bool echo = options.engine == "echo";
#ifndef CLOISTER_HAVE_LLAMA
  echo = echo || (options.engine.empty() && options.model_path.empty());
#endif
  if (!echo) return make_llama(options, tee, identity);
  engine::EchoOptions settings;
  if (!options.model_id.empty()) settings.model_id = options.model_id;
  settings.first_token_delay = std::chrono::milliseconds(options.echo_first_token_ms);
  settings.token_gap = std::chrono::milliseconds(options.echo_token_gap_ms);
  settings.fixed_tokens = options.echo_tokens;
  std::unique_ptr<engine::Engine> made = engine::make_echo_engine(settings);
  TRY_VOID(measure_identity(tee, identity)(*made->models().front().identity));
  return made;
}

Result<Platform> make_platform(const ServeOptions& options) {
  Platform platform;
  TRY(tee, make_tee(options));
  platform.tee = std::move(tee);
  const std::string_view type = platform.tee ? platform.tee->type() : "none";
  if (type != evidence::kSimulatorName) {
    TRY(gpu, make_gpu(options, type, nullptr));
    platform.gpu = std::move(gpu);
    return platform;
  }
  TRY(seed, simulator_seed(options));
  TRY(gpu, make_gpu(options, type, &seed));
  platform.gpu = std::move(gpu);
  log::warn("INSECURE SIMULATOR: the TEE is simulated; its evidence proves nothing about this machine");
  return platform;
}

Result<Tls> make_tls(const ServeOptions& options, const ListenAddress& listen, const serve::Keyring& keyring) {
  Tls tls;
  auto identity = std::make_shared<http::TlsIdentity>();
  if (!options.tls_certificate_file.empty()) {
    if (!options.tls.empty()) return fail(ErrorCode::kUsage, "--tls self-signed and --tls-cert exclude each other");
    TRY(chain, read_file(options.tls_certificate_file, kPemLimit));
    TRY(key, read_file(options.tls_key_file, kPemLimit));
    identity->certificate_chain_pem = std::move(chain);
    identity->private_key_pem = std::move(key);
  } else if (options.tls == "self-signed") {
    TRY(key, keyring.tls_key());
    crypto::CertificateSpec spec;
    spec.subject_common_name = spec.issuer_common_name = "Cloister node (self-signed)";
    spec.not_before = system_clock().now() - 3600;
    spec.not_after = system_clock().now() + kSelfSignedDays * 86400;
    spec.serial = crypto::random_bytes(16);
    spec.dns_names = {"localhost", listen.address};
    TRY(certificate, crypto::issue_certificate(spec, key, key));
    identity->certificate_chain_pem = certificate.to_pem();
    identity->private_key_pem = key.to_pem();
  } else {
    return tls;
  }
  TRY(chain, crypto::parse_pem_chain(as_bytes(identity->certificate_chain_pem)));
  if (chain.empty()) return fail(ErrorCode::kBadCertificate, options.tls_certificate_file + " holds no certificate");
  tls.spki_sha256 = crypto::sha256(chain.front().subject_public_key_info());
  tls.identity = std::move(identity);
  return tls;
}

Result<serve::BearerAuth> make_auth(const ServeOptions& options, const ListenAddress& listen) {
  if (!options.api_key_file.empty()) return serve::BearerAuth::from_file(options.api_key_file);
  if (!listen.loopback && !options.no_auth) {
    return fail(ErrorCode::kUsage, "listening on " + listen.address + " without tokens would serve everybody: give "
                                   "--api-key-file, or --no-auth if that is meant");
  }
  return serve::BearerAuth::open();
}

}  // namespace cloister::apps
