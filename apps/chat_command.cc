// cloister chat: verifies first, then talks, then checks each reply. Nothing is said to a node that was not accepted.
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "apps/client_options.h"
#include "apps/commands.h"
#include "apps/verify/gather.h"
#include "base/file.h"
#include "client/chat.h"
#include "client/host_check.h"
#include "codec/json.h"
#include "collateral/evidence_scan.h"

namespace cloister::apps {
namespace {

struct ChatOptions : JudgeOptions {
  ClientOptions client;
  std::string url;
  std::string prompt;
  std::string save;
  std::optional<std::string> system;
  std::optional<double> temperature;
  bool no_stream = false;
};

// One question and its verdict, the host's included.
Result<int> one_turn(const ChatOptions& options, const http::Client& http, const client::HostCheck& host,
                     client::ChatTurn& turn) {
  auto show = [&](std::string_view words) {
    if (options.json) return;
    std::fwrite(words.data(), 1, words.size(), stdout);
    std::fflush(stdout);
  };
  TRY(reply, client::ask(http, host, turn, system_clock(), show));
  if (!options.json) std::printf("\n\n");
  turn.messages.push_back({{"role", "assistant"}, {"content", reply.text}});
  reply.proof.url = options.url;
  if (!options.save.empty()) TRY_VOID(write_file_atomically(options.save, evidence::write_proof(reply.proof), 0600));

  verify::Verdict whole = host.verdict;
  whole.append(std::move(reply.verdict));
  whole.subject = "reply of " + options.url;
  if (!options.json) return print_verdict(whole, options);
  Json out = {{"reply", reply.text}, {"verdict", verify::to_json(whole)}};
  std::printf("%s\n", codec::write_json(out).c_str());
  return static_cast<int>(whole.outcome());
}

Result<int> converse(const ChatOptions& options, const http::Client& http, const client::HostCheck& host,
                     client::ChatTurn& turn) {
  bool interactive = ::isatty(STDIN_FILENO) == 1;
  int worst = kExitOk;
  std::string line;
  while (true) {
    if (interactive) std::printf("> ");
    std::fflush(stdout);
    if (!std::getline(std::cin, line)) break;
    if (line.empty()) continue;
    turn.messages.push_back({{"role", "user"}, {"content", line}});
    TRY(status, one_turn(options, http, host, turn));
    if (status != kExitOk) worst = status;
  }
  return worst;
}

Result<int> chat(const ChatOptions& options) {
  TRY(http, make_client(options.url, options.client));
  TRY(algo, evidence::parse_signing_algo(options.client.signing_algo));
  TRY(judging, load_judging(options));
  TRY(report, client::ask_report(http, {algo, options.client.model}));
  TRY_VOID(gather(collateral::find_evidence(report.text), options, judging));
  client::HostCheck host = client::judge_host(std::move(report), judging.context());
  host.verdict.subject = "host " + options.url;
  if (host.verdict.outcome() != verify::Outcome::kAccepted) {
    std::fprintf(stderr, "cloister chat: nothing was sent, because this host was not accepted\n");
    return print_verdict(host.verdict, options);
  }
  client::ChatTurn turn;
  turn.algo = algo;
  turn.stream = !options.no_stream;
  turn.temperature = options.temperature;
  turn.messages = Json::array();
  if (options.system) turn.messages.push_back({{"role", "system"}, {"content", *options.system}});
  turn.model = options.client.model;
  if (turn.model.empty()) {
    TRY(model, client::first_model(http));
    turn.model = model;
  }
  if (options.prompt.empty()) return converse(options, http, host, turn);
  turn.messages.push_back({{"role", "user"}, {"content", options.prompt}});
  return one_turn(options, http, host, turn);
}

}  // namespace

void add_chat_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("chat", "verify a host, talk to it, check every reply");
  auto options = std::make_shared<ChatOptions>();
  command->add_option("URL", options->url)->required();
  command->add_option("PROMPT", options->prompt, "one question; without it, lines from standard input are a conversation");
  bind_client_options(*command, options->client);
  bind_judge_options(*command, *options, true);
  command->add_option("--save", options->save, "write a proof of the (last) reply to this file");
  command->add_option("--system", options->system, "system message; may be empty. Default: none, so that the model's own stands");
  command->add_option("--temperature", options->temperature, "0 is the likeliest words, the same each time; default: the node's");
  command->add_flag("--no-stream", options->no_stream, "ask for the reply in one piece");
  command->callback([options, &exit_status] {
    Result<int> status = chat(*options);
    exit_status = status ? *status : print_error("chat", status.error());
  });
}

}  // namespace cloister::apps
