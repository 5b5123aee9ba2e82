// cloister serve: wires the parts of a host and runs them until a signal.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdio>
#include <memory>

#include "apps/commands.h"
#include "apps/gpu_parts.h"
#include "apps/serve_config.h"
#include "apps/serve_loop.h"
#include "apps/serve_options.h"
#include "apps/serve_parts.h"
#include "apps/service_manager.h"
#include "base/log.h"
#include "serve/node.h"

namespace cloister::apps {
namespace {

// Keys live in this process: no core file may hold them. The limit alone does not stop a core_pattern that is a pipe.
void forbid_core_files() {
  rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// What may change while a node serves: the tokens, and how much it logs. What cannot be read stays as it was.
void reload(const ServeOptions& options, serve::BearerAuth& auth) {
  Result<void> done;
  if (!options.api_key_file.empty()) done = auth.reload(options.api_key_file);
  if (!done) log::error("reload: the tokens stay as they were: " + done.error().message);
  if (!options.config_file.empty()) {
    ServeOptions fresh;
    fresh.log_level.clear();
    Result<void> read = read_serve_config(options.config_file, fresh);
    if (!read) return log::error("reload: the log level stays as it was: " + read.error().message);
    if (const Result<log::Level> level = log::parse_level(fresh.log_level)) log::set_level(*level);
  }
  log::info("reloaded");
}

std::string first_model_id(const engine::Engine& engine) {
  auto models = engine.models();
  return models.empty() ? "" : models.front().id;
}

Result<void> serve(const ServeOptions& options) {
  TRY(level, log::parse_level(options.log_level));
  log::configure(level, options.log_format == "json" ? log::Format::kJson : log::Format::kText);
  forbid_core_files();
  sigset_t signals = block_signals();

  TRY(listen, parse_listen(options.listen));
  TRY(auth, make_auth(options, listen));
  TRY(platform, make_platform(options));
  TRY(keyring, serve::Keyring::make(platform.tee.get()));
  TRY(tls, make_tls(options, listen));
  TRY(engine, make_engine(options, platform.tee.get()));

  // A few thousand waiting reports or bodies would be memory without use; the bounds answer 503 beyond.
  WorkerPool evidence_pool(1, 64);
  auto request_pool = std::make_unique<WorkerPool>(1, 256);
  serve::Metrics metrics;
  serve::SignatureStore signatures({}, system_clock());
  std::vector<std::string> origins = options.cors_origins;
  if (origins.empty() && auth.required()) origins = {"*"};
  serve::Cors cors(std::move(origins));

  const std::string tee_type = platform.tee ? std::string(platform.tee->type()) : "none";
  TRY(gpu_gate, make_gpu_gate(options, tee_type, platform.gpu.get()));
  if (gpu_gate) gpu_gate->start();
  std::unique_ptr<serve::AttestationService> attestation;
  if (platform.tee) {
    serve::AttestationParts parts{*platform.tee, platform.gpu.get(), keyring, tls.spki_sha256,
                                  [&engine] { return first_model_id(*engine); }};
    parts.gpu_optional = gpu_gate == nullptr;
    parts.metrics = &metrics.evidence();
    serve::ReportLimits limits;
    limits.per_client_per_minute = options.report_rate;
    limits.per_client_burst = options.report_burst;
    attestation = std::make_unique<serve::AttestationService>(std::move(parts), evidence_pool, system_clock(), limits);
  }
  serve::Node node(serve::NodeContext{
      .engine = *engine,
      .keyring = keyring,
      .attestation = attestation.get(),
      .tee_type = tee_type,
      .gpu_evidence_type = platform.gpu ? std::string(platform.gpu->type()) : "none",
      .signatures = signatures,
      .metrics = metrics,
      .requests = *request_pool,
      .auth = auth,
      .cors = cors,
      .clock = system_clock(),
      .body_limit_bytes = options.max_body_bytes,
      .signing = options.signing == "on",
      .gpu_gate = gpu_gate.get(),
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

  Result<void> stopped = wait_for_stop(signals, *engine, [&] { reload(options, auth); });
  notify_stopping();
  if (stopped) log::info("stopping: waiting up to " + std::to_string(options.grace_seconds) + " s for running replies");
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second signal ends the process at once
  server->stop(stopped ? options.grace_seconds : 0);
  // Calls that were cut off live on in the threads that worked for them, and use the node's parts as they go: those
  // threads end before the parts do.
  request_pool.reset();
  attestation.reset();
  engine.reset();
  return stopped;
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("serve", "host a model: OpenAI API, attestation report, signed replies");
  auto options = std::make_shared<ServeOptions>();
  bind_serve_options(*command, *options);
  auto print = std::make_shared<bool>(false);
  command->add_flag("--print-config", *print, "print the options that would be in force, as a configuration file, and end")
      ->configurable(false);
  command->fallthrough();
  command->callback([&app, command, options, print, &exit_status] {
    if (*print) {
      std::fputs(serve_config_text(*command).c_str(), stdout);
      return;
    }
    if (app.get_config_ptr() != nullptr && app.get_config_ptr()->count() > 0) {
      options->config_file = app.get_config_ptr()->as<std::string>();
    }
    Result<void> served = serve(*options);
    if (served) return;
    std::fprintf(stderr, "cloister serve: %s\n", served.error().message.c_str());
    exit_status = served.error().code == ErrorCode::kUsage ? kExitUsage : kExitFailed;
  });
}

}  // namespace cloister::apps
