// cloister_load puts load on an OpenAI-shaped server on loopback and prints one JSON object. See bench/README.md.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "load/request_run.h"
#include "load/stream_run.h"

namespace {

using cloister::bench::Options;

void add_common(CLI::App& command, Options& options) {
  command.add_option("--url", options.url, "http://ADDRESS:PORT[/PATH]; loopback only")->required();
  command.add_option("--connections", options.connections, "keep-alive connections, or concurrent streams")
      ->check(CLI::Range(1, 20000));
  command.add_option("--body", options.body_file, "request body; each @N@ in it becomes a running number");
  command.add_option("--body-bytes", options.body_bytes, "length of the built-in body");
  command.add_option("--model", options.model, "model named in the built-in body");
  command.add_option("--bearer-file", options.bearer_file, "file that holds the bearer token");
  command.add_option("--pid", options.pids, "processes of the server, for CPU time and memory")->delimiter(',');
  command.add_option("--verify-sample", options.verify_sample, "replies whose signature is fetched and checked");
  command.add_option("--timeout", options.timeout_s, "seconds the run may take beyond its own length");
}

// The process may open as many sockets as the system allows. Its timers wake it when asked, without the usual slack of
// 50 µs.
void prepare_process() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  prctl(PR_SET_TIMERSLACK, 1);
}

int print(cloister::Result<cloister::Json> result) {
  if (result) {
    std::cout << result->dump(1) << "\n";
    return 0;
  }
  std::cout << cloister::Json{{"error", result.error().to_string()}}.dump(1) << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Loads an OpenAI-shaped server on loopback and prints what it measured as one JSON object.");
  Options options;
  app.require_subcommand(1);
  CLI::App* request = app.add_subcommand("request", "buffered requests for a fixed time");
  add_common(*request, options);
  request->add_option("--duration", options.duration_s, "measured seconds")->check(CLI::PositiveNumber);
  request->add_option("--warmup", options.warmup_s, "seconds before the measured window")
      ->check(CLI::NonNegativeNumber);
  request->add_option("--rate", options.rate, "requests a second in all (open loop); 0 = closed loop");
  request->add_flag("--get", options.get, "GET, without a body");
  request->add_flag("--any-status", options.any_status, "count every status as a reply");
  CLI::App* stream = app.add_subcommand("stream", "concurrent server-sent-event streams");
  add_common(*stream, options);
  stream->add_option("--repeat", options.repeat, "streams one after the other in each place, each on a new connection")
      ->check(CLI::PositiveNumber);
  stream->add_option("--ramp", options.ramp_s, "seconds over which the starts are spread")
      ->check(CLI::NonNegativeNumber);
  stream->add_option("--expect-events", options.expect_events, "events every stream must have");
  stream->add_option("--expect-tokens", options.expect_tokens, "usage.completion_tokens every stream must report");
  CLI11_PARSE(app, argc, argv);
  prepare_process();
  return print(*request ? cloister::bench::run_requests(options) : cloister::bench::run_streams(options));
}
