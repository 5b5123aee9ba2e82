// cloister simulator: the simulated TEE behind a dstack guest agent's socket, until a signal.
#include <signal.h>

#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/output.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/log.h"
#include "config/serve_options.h"
#include "http/server.h"
#include "tee/simulator/agent.h"

namespace cloister::apps {
namespace {

struct SimulatorCommandOptions {
  std::string socket;
  std::string seed_file;
  std::string app_name = "cloister";
  std::string mr_config_id;
};

Result<void> simulate(const SimulatorCommandOptions& options) {
  log::configure(log::Level::kInfo);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // threads made from here on inherit the mask

  const std::filesystem::path seed_file = options.seed_file;
  if (seed_file.has_parent_path()) TRY_VOID(ensure_private_folder(seed_file.parent_path()));
  tee::SimulatorOptions simulator;
  TRY(seed, tee::load_or_create_simulator_seed(seed_file));
  simulator.seed = std::move(seed);
  simulator.app_name = options.app_name;
  if (!options.mr_config_id.empty()) {
    const auto value = from_hex_exactly<48>(options.mr_config_id);
    if (!value) return fail(ErrorCode::kUsage, "--mr-config-id: " + value.error().message);
    simulator.mr_config_id = *value;
  }
  TRY(agent, tee::make_simulated_agent(std::move(simulator)));

  http::ServerOptions http;
  http.unix_socket = options.socket;
  http.threads = 1;
  TRY(server, http::Server::start(http, *agent));
  log::warn(
      "INSECURE SIMULATOR: a dstack guest agent whose TEE is simulated; its evidence proves nothing about this machine");
  say("listening on unix:" + options.socket);
  std::fflush(stdout);
  ::sigwaitinfo(&signals, nullptr);
  server->stop(1);
  return {};
}

}  // namespace

void add_simulator_command(CLI::App& app, int& exit_status) {
  CLI::App* command =
      app.add_subcommand("simulator", "INSECURE: a simulated TEE behind a dstack guest agent's socket, for tests");
  auto options = std::make_shared<SimulatorCommandOptions>();
  options->seed_file = config::default_state_folder() + "/insecure-simulator.seed";
  command->add_option("--socket", options->socket, "path of the Unix socket to answer on")->required();
  command
      ->add_option(
          "--seed-file", options->seed_file,
          "file with 64 hex digits that stand for the machine; it is made when missing; cloister serve keeps its own in "
          "STATE/insecure-simulator.seed")
      ->capture_default_str();
  command->add_option("--app-name", options->app_name, "name of the simulated application")->capture_default_str();
  command->add_option("--mr-config-id", options->mr_config_id,
                      "MRCONFIGID in 96 hex digits, which a host chooses; the default names the application");
  command->fallthrough();
  command->callback([options, &exit_status] {
    Result<void> done = simulate(*options);
    if (done) return;
    complain("simulator", done.error().message);
    exit_status = done.error().code == ErrorCode::kUsage ? kExitUsage : kExitFailed;
  });
}

}  // namespace cloister::apps
