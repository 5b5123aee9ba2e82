// cloister serve: wires the parts of a host and runs them until a signal.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "apps/client_options.h"
#include "apps/commands.h"
#include "apps/gpu_parts.h"
#include "apps/known_answers_parts.h"
#include "apps/output.h"
#include "apps/receipt_parts.h"
#include "apps/serve_config.h"
#include "apps/serve_loop.h"
#include "apps/serve_options.h"
#include "apps/serve_parts.h"
#include "apps/serve_reload.h"
#include "apps/service_manager.h"
#include "base/file.h"
#include "base/log.h"
#include "base/stop_deadline.h"
#include "config/attested.h"
#include "config/effects.h"
#include "config/option.h"
#include "config/option_checks.h"
#include "config/option_forms.h"
#include "crypto/key_memory.h"
#include "identity/executable_digest.h"
#include "serve/endpoints/endpoints.h"
#include "serve/node.h"

namespace cloister::apps {
namespace {

// Keys live in this process, so no core file may hold them. The limit alone does not stop a core_pattern that is a pipe.
void forbid_core_files() {
  rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// Writes the request for a certificate of the TEE's own key.
Result<void> give_out_request(const config::ServeOptions& options, const Tls& tls) {
  if (tls.request_pem.empty()) return {};
  std::filesystem::path file = options.tls_request_file;
  if (file.empty()) {
    TRY_VOID(ensure_private_folder(options.state_folder));
    file = std::filesystem::path(options.state_folder) / "tls.csr";
  }
  TRY_VOID(write_file_atomically(file, tls.request_pem, 0644));
  log::info("tls request=" + file.string() + " and GET /v1/cloister/tls-request");
  if (!tls.no_certificate.empty())
    log::warn("tls: a self-signed certificate is shown until SIGHUP: " + tls.no_certificate);
  return {};
}

// Time after the grace period for the parts to end.
constexpr int kWindUpSeconds = 10;
// Receipts of sent replies are already stored; this time is for replies that were cut off.
constexpr std::chrono::milliseconds kLastReceipts{2000};

void leave_undone(const receipts::ReceiptJournal* receipts) {
  log::error("stopping: a part of the node does not end; the process ends without it");
  const auto end = std::chrono::steady_clock::now() + kLastReceipts;
  while (receipts != nullptr && receipts->state().waiting > 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

Result<void> serve(config::ServeOptions options, ConfigChanges config_changes) {
  TRY(level, log::parse_level(options.log_level));
  log::configure(level, options.log_format == "json" ? log::Format::kJson : log::Format::kText);
  forbid_core_files();
  if (!crypto::lock_key_memory()) log::warn("keys may be swapped: no memory can be locked (limit RLIMIT_MEMLOCK)");
  sigset_t signals = block_signals();

  TRY_VOID(config::check_options(options));
  TRY(listen, config::parse_listen(options.listen));
  TRY(platform, make_platform(options));
  const std::string tee_type = platform.tee ? std::string(platform.tee->type()) : "none";
  const std::string gpu_type = platform.gpu ? std::string(platform.gpu->type()) : "none";
  TRY(gpu_gate, make_gpu_gate(options, tee_type, platform.gpu.get()));
  TRY(executable, identity::executable_digest());
  TRY(known_answers, tests_models(options));
  config::PolicySurroundings around{.tee_type = tee_type,
                                    .gpu_evidence_type = gpu_type,
                                    .gpu_gate = gpu_gate != nullptr,
                                    .known_answers = known_answers,
                                    .executable = executable,
                                    .gpu_policy = gpu_gate ? gpu_gate->policy_digest() : std::nullopt,
                                    .gpu_library = platform.gpu_library};
  TRY(configuration, config::key_configuration_digest(options, around));
  TRY(keyring, identity::Keyring::make(platform.tee.get(), configuration, options.receipt_key_epoch));
  TRY(auth, make_auth(options, keyring));
  TRY(operators, make_operators(options, keyring, auth));
  TRY(tls, make_tls(options, keyring));
  TRY_VOID(give_out_request(options, tls));
  // A few thousand waiting reports or bodies would only waste memory; the bounds answer 503 beyond that.
  WorkerPool evidence_pool(1, 64);
  auto preparation =
      std::make_unique<FairPool>(std::clamp(std::thread::hardware_concurrency(), 2u, 8u), FairPool::Limits{});
  serve::Metrics metrics;
  auto lookups = std::make_unique<FairPool>(2, FairPool::Limits{.waiting = 512, .waiting_of_client = 64});
  TRY(receipt_store, make_receipt_store(options, keyring));
  std::unique_ptr<receipts::ReceiptJournal> receipts;
  if (receipt_store) {
    TRY(settings, journal_options(options));
    settings.cheap_endpoints = serve::cheap_paths();
    receipts =
        std::make_unique<receipts::ReceiptJournal>(keyring, *receipt_store, system_clock(), metrics.receipts, settings);
  }
  api::Cors cors(config::cors_origins(options));
  const api::WebGuard web(cors, web_guard_options(options, listen));

  if (gpu_gate) gpu_gate->start();
  TRY(attested, config::make_attested(options, std::move(around), keyring, tls.key, platform.tee.get()));
  TRY(engine, make_engine(options, platform.tee.get(), *attested.identity));
  std::unique_ptr<reports::AttestationService> attestation;
  if (platform.tee) {
    reports::ReportParts parts = config::report_parts(options, *platform.tee, platform.gpu.get(), keyring, attested);
    parts.model_name = [&engine] { return first_model_id(*engine); };
    parts.known_answers = [&engine] { return passed_tests(*engine); };
    parts.gpu_optional = gpu_gate == nullptr;
    parts.metrics = &metrics.evidence;
    if (receipt_store) {
      parts.keep_report = [store = receipt_store.get()](const identity::Epoch& epoch, std::string_view kind,
                                                        std::string_view report) {
        keep_report(*store, epoch, kind, report);
      };
    }
    attestation = std::make_unique<reports::AttestationService>(std::move(parts), evidence_pool, system_clock(),
                                                                config::report_limits(options));
    attestation->keep_current();
  }
  serve::Node node(serve::NodeContext{.engine = *engine,
                                      .keyring = keyring,
                                      .identity = *attested.identity,
                                      .attestation = attestation.get(),
                                      .tee_type = tee_type,
                                      .app_id = app_id_of(platform.tee.get()),
                                      .gpu_evidence_type = gpu_type,
                                      .receipts = receipts.get(),
                                      .metrics = metrics,
                                      .preparation = *preparation,
                                      .lookups = *lookups,
                                      .auth = auth,
                                      .operators = operators ? &*operators : nullptr,
                                      .cors = cors,
                                      .web = web,
                                      .clock = system_clock(),
                                      .body_limit_bytes = options.max_body_bytes,
                                      .serves_itself = config::serves_itself(options),
                                      .gpu_gate = gpu_gate.get(),
                                      .anybody_operates = listen.loopback && !auth.required(),
                                      .tls_request = tls.request_pem,
                                      .server_stats = {}});

  http::ServerOptions http;
  http.address = listen.address;
  http.port = listen.port;
  http.threads = options.http_threads;
  http.tls = tls.identity;
  TRY(server, http::Server::start(http, node));
  node.context().server_stats = [&server] { return server->stats(); };

  std::string shown = listen.address.find(':') == std::string::npos ? listen.address : "[" + listen.address + "]";
  say(std::string("listening on ") + (tls.identity ? "https" : "http") + "://" + shown + ":" +
      std::to_string(server->port()));
  std::fflush(stdout);
  log::info("signing_address ecdsa=" + keyring.signing_address(evidence::SigningAlgo::kEcdsa) +
            " ed25519=" + keyring.signing_address(evidence::SigningAlgo::kEd25519));

  Result<void> stopped = wait_for_stop(
      signals, *engine,
      [&] {
        if (attestation) attestation->keep_current();
      },
      [&] {
        reload(options, {auth, operators ? &*operators : nullptr, attested, keyring, *server, platform.tee.get(),
                         config_changes});
      });
  notify_stopping();
  if (stopped) log::info("stopping: waiting up to " + std::to_string(options.grace_seconds) + " s for running replies");
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // a second signal ends the process at once
  const int grace_s = stopped ? options.grace_seconds : 0;
  const StopDeadline deadline(std::chrono::seconds(grace_s + kWindUpSeconds), kExitFailed,
                              [&] { leave_undone(receipts.get()); });
  lookups->give_up_long();  // a proof can be asked for again elsewhere; a look-up is short
  server->stop(grace_s);
  // Calls that were cut off still exist in the threads that worked for them, and use the node's parts when they end: so
  // those threads end before the parts do.
  preparation.reset();
  lookups.reset();
  attestation.reset();
  engine.reset();
  return stopped;
}

// What a reload compares the file with.
Result<ConfigChanges> config_at_start(const CLI::Option* file, const CLI::App& command) {
  if (file == nullptr || file->count() == 0) return ConfigChanges();
  auto path = file->as<std::string>();
  config::ServeOptions of_file;
  TRY(lines, read_serve_config(path, of_file));
  ConfigLines in_force = serve_config_lines(command);
  // An option that the file may still name later is not one of the command line.
  for (const config::Option& row : config::serve_option_table()) {
    const std::string name(row.name);
    if (row.on_sighup == config::OnSighup::kValue && !lines.contains(name)) in_force.erase(name);
  }
  return ConfigChanges(std::move(path), std::move(lines), in_force);
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("serve", "host a model: OpenAI API, attestation report, signed replies");
  auto options = std::make_shared<config::ServeOptions>();
  bind_serve_options(*command, *options);
  auto print = std::make_shared<bool>(false);
  command
      ->add_flag("--print-config", *print,
                 "print the options that would be in force, as a configuration file, and exit")
      ->configurable(false);
  command->fallthrough();
  command->callback([&app, command, options, print, &exit_status] {
    if (*print) {
      if (const Result<void> forms = config::check_option_forms(*options); !forms) {
        exit_status = print_error("serve", forms.error());
        return;
      }
      print_bytes(stdout, serve_config_text(*command));
      return;
    }
    const Result<ConfigChanges> config = config_at_start(app.get_config_ptr(), *command);
    const Result<void> served = config ? serve(*options, *config) : Result<void>(config.error());
    if (served) return;
    complain("serve", served.error().message);
    const ErrorCode code = served.error().code;
    exit_status = code == ErrorCode::kUsage || code == ErrorCode::kBadUrl ? kExitUsage : kExitFailed;
  });
}

}  // namespace cloister::apps
