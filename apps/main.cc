// cloister: one program that serves a model in a TEE, verifies such a host, and chats with it.
#include <signal.h>

#include <exception>
#include <sstream>

#include "apps/commands.h"
#include "apps/config_file.h"
#include "apps/help_texts.h"
#include "apps/output.h"
#include "apps/usage_error.h"

namespace cloister::apps {
namespace {

// Answers --help and --version.
int answer(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream text;
  app.exit(error, text, text);
  print_bytes(stdout, text.str());
  return kExitOk;
}

int run(int argc, char** argv) {
  CLI::App app("Cloister: verifiable LLM hosting in a GPU TEE", "cloister");
  app.set_version_flag("--version", "cloister " CLOISTER_VERSION);
  accept_config_file(app);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);

  int exit_status = kExitOk;
  try {
    add_serve_command(app, exit_status);
    add_other_commands(app, exit_status);
    add_help_texts(app);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return answer(app, error);
    print_line(stderr, usage_message(app, error));
    print_line(stderr, "Run with --help for more information.");
    return kExitUsage;
  } catch (const std::exception& error) {
    // Out of memory, or no threads left: no input can cause this.
    print_line(stderr, std::string("cloister: ") + error.what());
    return kExitFailed;
  }
  return exit_status;
}

}  // namespace
}  // namespace cloister::apps

int main(int argc, char** argv) {
  using namespace cloister::apps;
  hold_standard_streams();
  // A write to a connection whose other end is gone is an error of that connection; for standard output see finish_output().
  ::signal(SIGPIPE, SIG_IGN);
  return finish_output(run(argc, argv));
}
