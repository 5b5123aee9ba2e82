#include "apps/serve_parts.h"

#include <algorithm>
#include <filesystem>

#include "apps/gpu_parts.h"
#include "apps/known_answers_parts.h"
#include "apps/model_parts.h"
#include "apps/tee_parts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "config/effects.h"
#include "crypto/certificate_request.h"
#include "crypto/hash.h"
#include "engine/echo/echo_engine.h"
#include "engine/upstream/upstream_engine.h"
#include "evidence/measured_events.h"
#include "evidence/simulator_roots.h"
#include "identity/measured_event.h"

namespace cloister::apps {
namespace {

constexpr std::size_t kPemLimit = 256 << 10;
constexpr std::size_t kTokenLimit = 64 << 10;
constexpr std::int64_t kSelfSignedDays = 397;

Result<std::unique_ptr<engine::Engine>> make_llama(const config::ServeOptions& options, tee::Tee* tee,
                                                   identity::Identity& identity) {
#ifdef CLOISTER_HAVE_LLAMA
  TRY(llama, llama_options(options));
  llama.share_prompt_cache = config::shares_prompt_cache(options);
  llama.on_identity = measure_identity(tee, identity);
  TRY(answers, answers_beside(options));
  llama.known_answers = std::move(answers);
  llama.known_answers_every = std::chrono::seconds(options.known_answers_every_s);
  return engine::make_llama_engine(std::move(llama));
#else
  (void)options, (void)tee, (void)identity;
  return fail(ErrorCode::kUsage, "this program was built without the embedded engine; use --engine echo");
#endif
}

Result<std::unique_ptr<engine::Engine>> make_upstream(const config::ServeOptions& options, tee::Tee* tee,
                                                      identity::Identity& identity) {
  engine::UpstreamOptions upstream;
  upstream.urls = options.upstreams;
  upstream.parallel = static_cast<std::size_t>(options.upstream_parallel);
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
  TRY(answers, read_known_answers(options));
  upstream.known_answers = std::move(answers);
  upstream.known_answers_every = std::chrono::seconds(options.known_answers_every_s);
  return engine::make_upstream_engine(std::move(upstream));
}

Result<crypto::Certificate> first_in(const std::string& chain_pem, const std::string& file) {
  Result<std::vector<crypto::Certificate>> chain = crypto::parse_pem_chain(as_bytes(chain_pem));
  if (!chain) return fail(chain.error().code, "--tls-cert: " + file + ": " + chain.error().message);
  if (chain->empty()) return fail(ErrorCode::kBadCertificate, "--tls-cert: " + file + " holds no certificate");
  return std::move(chain->front());
}

// The key pair that the operator brought, if there is one.
Result<Tls> given_tls(const config::ServeOptions& options) {
  Tls tls;
  if (options.tls_certificate_file.empty()) return tls;
  TRY(chain, read_regular_file(options.tls_certificate_file, kPemLimit));
  TRY(key, read_regular_file(options.tls_key_file, kPemLimit));
  TRY(leaf, first_in(chain, options.tls_certificate_file));
  tls.key.spki_sha256 = crypto::sha256(leaf.subject_public_key_info());
  tls.identity = std::make_shared<net::TlsIdentity>(net::TlsIdentity{std::move(chain), std::move(key)});
  return tls;
}

Result<crypto::Certificate> self_signed(const config::ServeOptions& options, const crypto::EcKey& key) {
  TRY(listen, config::parse_listen(options.listen));
  crypto::CertificateSpec spec;
  spec.subject_common_name = spec.issuer_common_name = "Cloister node (self-signed)";
  spec.not_before = system_clock().now() - 3600;
  spec.not_after = system_clock().now() + kSelfSignedDays * 86400;
  spec.serial = crypto::random_bytes(16);
  spec.dns_names = options.tls_names;
  spec.dns_names.insert(spec.dns_names.end(), {"localhost", listen.address});
  return crypto::issue_certificate(spec, key, key);
}

// The chain in the file, when its leaf is for the key with this SHA-256 of its SubjectPublicKeyInfo.
Result<std::string> chain_for(const std::string& file, const ByteArray<32>& spki_sha256) {
  if (file.empty()) return fail(ErrorCode::kUsage, "no --tls-cert is given");
  TRY(chain, read_regular_file(file, kPemLimit));
  TRY(leaf, first_in(chain, file));
  if (crypto::sha256(leaf.subject_public_key_info()) != spki_sha256) {
    return fail(ErrorCode::kBadCertificate, "the certificate in " + file + " is for another key than the TEE's");
  }
  return chain;
}

}  // namespace

Result<std::string> read_token(const std::string& path) {
  TRY(text, read_regular_file(path, kTokenLimit));
  std::string token = text.substr(0, text.find('\n'));
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ' || token.back() == '\t')) token.pop_back();
  if (token.empty()) return fail(ErrorCode::kUsage, path + " holds no token in its first line");
  return token;
}

Result<std::unique_ptr<engine::Engine>> make_engine(const config::ServeOptions& options, tee::Tee* tee,
                                                    identity::Identity& identity) {
  const std::string kind = config::engine_kind(options);
  if (kind == "upstream") return make_upstream(options, tee, identity);
  if (kind != "echo") return make_llama(options, tee, identity);
  engine::EchoOptions settings;
  if (!options.model_id.empty()) settings.model_id = options.model_id;
  settings.first_token_delay = std::chrono::milliseconds(options.echo_first_token_ms);
  settings.token_gap = std::chrono::milliseconds(options.echo_token_gap_ms);
  settings.fixed_tokens = options.echo_tokens;
  std::unique_ptr<engine::Engine> made = engine::make_echo_engine(settings);
  TRY_VOID(measure_identity(tee, identity)(*made->models().front().identity));
  return made;
}

Result<Platform> make_platform(const config::ServeOptions& options) {
  Platform platform;
  TRY(chosen, make_tee(options, MissingSeed::kMake));
  if (!chosen.why_none.empty()) {
    log::warn("no TEE on this machine (--tee auto: " + chosen.why_none +
              "): serving without attestation, signing keys are random");
  }
  platform.tee = std::move(chosen.tee);
  const std::string_view type = platform.tee ? platform.tee->type() : "none";
  // The library runs in this process and could have the node say anything afterwards.
  const BeforeLibrary before_library = [&platform](const ByteArray<32>& sha256) -> Result<void> {
    platform.gpu_library = sha256;
    if (!platform.tee) return {};
    // SEV-SNP has no register for events: there the policy document alone names the library.
    const bool has_register = platform.tee->type() != "sev_snp";
    const auto unmeasured = has_register ? identity::Unmeasured::kRefused : identity::Unmeasured::kLogged;
    return identity::measure_event(*platform.tee, evidence::kGpuLibraryEvent, sha256, unmeasured);
  };
  if (type != evidence::kSimulatorName) {
    TRY(gpu, make_gpu(options, type, nullptr, before_library));
    platform.gpu = std::move(gpu);
    return platform;
  }
  TRY(seed, simulator_seed(options, MissingSeed::kMake));
  TRY(gpu, make_gpu(options, type, &seed, before_library));
  platform.gpu = std::move(gpu);
  log::warn("INSECURE SIMULATOR: the TEE is simulated; its evidence proves nothing about this machine");
  return platform;
}

Result<Tls> make_tls(const config::ServeOptions& options, const identity::Keyring& keyring) {
  if (options.tls.empty()) return given_tls(options);
  const bool certified = options.tls == "tee-key";
  TRY(key, keyring.tls_key());
  TRY(own, self_signed(options, key));
  Tls tls;
  tls.key.origin = evidence::TlsKeyOrigin::kBorn;
  tls.key.spki_sha256 = crypto::sha256(own.subject_public_key_info());
  std::string chain = own.to_pem();
  if (certified) {
    TRY(request, crypto::make_certificate_request(key, options.tls_names));
    tls.request_pem = std::move(request);
    if (Result<std::string> from_outside = chain_for(options.tls_certificate_file, *tls.key.spki_sha256)) {
      chain = *std::move(from_outside);
    } else {
      tls.no_certificate = from_outside.error().message;
    }
  }
  tls.identity = std::make_shared<net::TlsIdentity>(net::TlsIdentity{std::move(chain), key.to_pem()});
  return tls;
}

Result<std::optional<api::BearerAuth>> make_operators(const config::ServeOptions& options,
                                                      const identity::Keyring& keyring, api::BearerAuth& clients) {
  if (options.admin_token_file.empty()) return std::optional<api::BearerAuth>();
  TRY(operators, api::BearerAuth::from_file(options.admin_token_file, keyring.store_keys()));
  TRY_VOID(operators.keep_apart_from(clients));
  TRY_VOID(clients.keep_apart_from(operators));
  return std::optional<api::BearerAuth>(std::move(operators));
}

api::WebGuard::Options web_guard_options(const config::ServeOptions& options, const config::ListenAddress& listen) {
  api::WebGuard::Options out;
  out.tokens = config::needs_token(options);
  out.loopback = listen.loopback;
  std::vector<std::string> names = options.host_names;
  names.insert(names.end(), options.tls_names.begin(), options.tls_names.end());
  for (std::string& name : names) {
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    out.hosts.push_back(std::move(name));
  }
  return out;
}

Result<api::BearerAuth> make_auth(const config::ServeOptions& options, const identity::Keyring& keyring) {
  if (!config::needs_token(options)) return api::BearerAuth::open();
  return api::BearerAuth::from_file(options.api_key_file, keyring.store_keys());
}

std::string app_id_of(tee::Tee* tee) {
  if (tee == nullptr) return {};
  const auto info = tee->info();
  if (!info || !info->info.is_object()) return {};
  const auto id = info->info.find("app_id");
  return id != info->info.end() && id->is_string() ? id->get<std::string>() : std::string();
}

std::string first_model_id(const engine::Engine& engine) {
  auto models = engine.models();
  return models.empty() ? "" : models.front().id;
}

}  // namespace cloister::apps
