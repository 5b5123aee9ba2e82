// cloister serve: wires the parts of a host and runs them until a signal.
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <memory>

#include "apps/commands.h"
#include "apps/serve_options.h"
#include "apps/serve_parts.h"
#include "base/log.h"
#include "serve/node.h"

namespace cloister::apps {
namespace {

constexpr int kGraceSeconds = 10;

// Keys live in this process: no core file may hold them.
void forbid_core_files() {
  rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

sigset_t block_stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);  // threads made from here on inherit it
  return set;
}

// Returns when a signal asks to stop, or with an Error when the model turns out not to load.
Result<void> wait_for_stop(const sigset_t& signals, const engine::Engine& engine) {
  bool ready = false;
  while (true) {
    timespec pause{0, 200'000'000};
    int got = ready ? ::sigwaitinfo(&signals, nullptr) : ::sigtimedwait(&signals, nullptr, &pause);
    if (got > 0) return {};
    if (ready) continue;
    if (engine.health() == engine::Health::kFailed) return fail(ErrorCode::kModelFile, engine.failure());
    ready = engine.health() == engine::Health::kReady;
    if (ready) log::info("engine ready name=" + std::string(engine.name()));
  }
}

std::string first_model_id(const engine::Engine& engine) {
  auto models = engine.models();
  return models.empty() ? "" : models.front().id;
}

Result<void> serve(const ServeOptions& options) {
  TRY(level, log::parse_level(options.log_level));
  log::configure(level);
  forbid_core_files();
  sigset_t signals = block_stop_signals();

  TRY(listen, parse_listen(options.listen));
  TRY(auth, make_auth(options, listen));
  TRY(platform, make_platform(options));
  TRY(keyring, serve::Keyring::make(platform.tee.get()));
  TRY(tls, make_tls(options, listen));
  TRY(engine, make_engine(options));

  // A few thousand waiting reports or bodies would be memory without use; the bounds answer 503 beyond.
  WorkerPool evidence_pool(1, 64);
  WorkerPool request_pool(1, 256);
  serve::Metrics metrics;
  serve::SignatureStore signatures({}, system_clock());
  std::vector<std::string> origins = options.cors_origins;
  if (origins.empty() && auth.required()) origins = {"*"};
  serve::Cors cors(std::move(origins));

  std::unique_ptr<serve::AttestationService> attestation;
  if (platform.tee) {
    serve::AttestationParts parts{*platform.tee, platform.gpu.get(), keyring, tls.spki_sha256,
                                  [&engine] { return first_model_id(*engine); }};
    attestation = std::make_unique<serve::AttestationService>(std::move(parts), evidence_pool, system_clock());
  }
  serve::Node node(serve::NodeContext{
      .engine = *engine,
      .keyring = keyring,
      .attestation = attestation.get(),
      .tee_type = platform.tee ? std::string(platform.tee->type()) : "none",
      .gpu_evidence_type = platform.gpu ? std::string(platform.gpu->type()) : "none",
      .signatures = signatures,
      .metrics = metrics,
      .requests = request_pool,
      .auth = auth,
      .cors = cors,
      .clock = system_clock(),
      .body_limit_bytes = options.max_body_bytes,
      .signing = options.signing == "on",
      .server_stats = {}});

  http::ServerOptions http;
  http.address = listen.address;
  http.port = listen.port;
  http.threads = options.http_threads;
  http.tls = tls.identity;
  TRY(server, http::Server::start(http, node));
  node.context().server_stats = [&server] { return server->stats(); };

  std::string shown = listen.address.find(':') == std::string::npos ? listen.address : "[" + listen.address + "]";
  std::printf("listening on %s://%s:%u\n", tls.identity ? "https" : "http", shown.c_str(), server->port());
  std::fflush(stdout);
  log::info("signing_address ecdsa=" + keyring.signing_address(evidence::SigningAlgo::kEcdsa) +
            " ed25519=" + keyring.signing_address(evidence::SigningAlgo::kEd25519));

  Result<void> stopped = wait_for_stop(signals, *engine);
  if (stopped) log::info("stopping: waiting up to " + std::to_string(kGraceSeconds) + " s for running replies");
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second signal ends the process at once
  server->stop(stopped ? kGraceSeconds : 0);
  return stopped;
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("serve", "host a model: OpenAI API, attestation report, signed replies");
  auto options = std::make_shared<ServeOptions>();
  bind_serve_options(*command, *options);
  command->fallthrough();
  command->callback([options, &exit_status] {
    Result<void> served = serve(*options);
    if (served) return;
    std::fprintf(stderr, "cloister serve: %s\n", served.error().message.c_str());
    exit_status = served.error().code == ErrorCode::kUsage ? kExitUsage : kExitFailed;
  });
}

}  // namespace cloister::apps
