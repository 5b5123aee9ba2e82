// cloister chat: verifies first, then talks, then checks the signature and the receipt of each reply. Nothing is said
// to a node that was not accepted.
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
#include "client/receipt_check.h"
#include "codec/json.h"
#include "collateral/evidence_scan.h"
#include "evidence/archive.h"
#include "verify/bundle.h"

namespace cloister::apps {
namespace {

struct ChatOptions : JudgeOptions {
  ClientOptions client;
  std::string url;
  std::string prompt;
  std::string save;
  std::string archive;
  std::optional<std::string> system;
  std::optional<double> temperature;
  bool no_stream = false;
  bool checks = false;
  bool require_receipt = false;
};

// A node that was accepted, and what its replies are judged with.
struct Host {
  client::HostCheck check;
  std::optional<client::HostReport> native;  // where it gives receipts
  Judging judging;
};

// Rejected before undetermined before accepted.
int worse(int a, int b) { return a == 0 || b == static_cast<int>(verify::Outcome::kRejected) ? b : a; }

// All checks where they were asked for, else those in the way of being accepted. Returns the exit status.
int show_verdict(const verify::Verdict& verdict, const ChatOptions& options) {
  if (options.checks || options.json) return print_verdict(verdict, options);
  std::fputs(verify::to_summary(verdict, ::isatty(STDOUT_FILENO) == 1).c_str(), stdout);
  std::fflush(stdout);
  return static_cast<int>(verdict.outcome());
}

Result<std::string> archive_of(const client::ChatReply& reply, const std::string& receipt, const Host& host) {
  evidence::Archive archive;
  archive.judged_at = host.judging.time;
  archive.receipt = receipt;
  archive.report = host.native->text;
  archive.nonce = host.native->nonce;
  archive.request = std::string(as_text(reply.proof.request));
  archive.response = std::string(as_text(reply.proof.response));
  TRY(collateral, codec::parse_json(verify::write_bundle(host.judging.collateral), {.max_bytes = 64u << 20}));
  archive.collateral = std::move(collateral);
  return evidence::write_archive(archive);
}

// The verdict about the receipt of a reply; nothing where the node gives none.
Result<std::optional<verify::Verdict>> check_receipt(const ChatOptions& options, const http::Client& http,
                                                     const Host& host, const client::ChatReply& reply,
                                                     const std::string& model) {
  if (!host.native) return std::optional<verify::Verdict>();
  std::optional<std::string> receipt;
  if (!reply.receipt_id.empty()) {
    TRY(text, client::fetch_receipt(http, reply.receipt_id));
    receipt = std::move(text);
  }
  verify::Verdict verdict = client::judge_receipt(http, *host.native, reply, receipt, model, host.judging.context());
  verdict.subject = "receipt of the reply, and the keys that signed it";
  if (receipt && !options.archive.empty()) {
    TRY(archive, archive_of(reply, *receipt, host));
    TRY_VOID(write_file_atomically(options.archive, archive, 0600));
  }
  return std::optional(std::move(verdict));
}

// One question and its verdict, the host's included, and that of the receipt.
Result<int> one_turn(const ChatOptions& options, const http::Client& http, const Host& host, client::ChatTurn& turn) {
  auto show = [&](std::string_view words) {
    if (options.json) return;
    std::fwrite(words.data(), 1, words.size(), stdout);
    std::fflush(stdout);
  };
  TRY(reply, client::ask(http, host.check, turn, system_clock(), show));
  if (!options.json) std::printf("\n\n");
  turn.messages.push_back({{"role", "assistant"}, {"content", reply.text}});
  reply.proof.url = options.url;
  if (!options.save.empty()) TRY_VOID(write_file_atomically(options.save, evidence::write_proof(reply.proof), 0600));

  TRY(receipt, check_receipt(options, http, host, reply, turn.model));
  verify::Verdict whole = host.check.verdict;
  whole.append(std::move(reply.verdict));
  whole.subject = "host " + options.url + " and its signature of the reply";
  if (options.json) {
    Json out = {{"reply", reply.text}, {"verdict", verify::to_json(whole)}, {"receipt", Json()}};
    if (receipt) out["receipt"] = verify::to_json(*receipt);
    std::printf("%s\n", codec::write_json(out).c_str());
    return worse(static_cast<int>(whole.outcome()), receipt ? static_cast<int>(receipt->outcome()) : 0);
  }
  const int signature_status = show_verdict(whole, options);
  if (!receipt) {
    std::printf("\nThis node gives no receipts: the signature alone was checked.\n");
    return signature_status;
  }
  std::printf("\n");
  return worse(signature_status, show_verdict(*receipt, options));
}

Result<int> converse(const ChatOptions& options, const http::Client& http, const Host& host, client::ChatTurn& turn) {
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
    worst = worse(worst, status);
  }
  return worst;
}

Result<int> refuse(const verify::Verdict& verdict, const ChatOptions& options) {
  std::fprintf(stderr, "cloister chat: nothing was sent, because this host was not accepted\n");
  return show_verdict(verdict, options);
}

Result<int> chat(const ChatOptions& options) {
  TRY(http, make_client(options.url, options.client));
  TRY(algo, evidence::parse_signing_algo(options.client.signing_algo));
  Host host;
  TRY(judging, load_judging(options));
  host.judging = std::move(judging);
  TRY(report, client::ask_report(http, {algo, options.client.model}));
  TRY_VOID(gather(collateral::find_evidence(report.text), options, host.judging));
  host.check = client::judge_host(std::move(report), host.judging.context());
  host.check.verdict.subject = "host " + options.url;
  if (host.check.verdict.outcome() != verify::Outcome::kAccepted) return refuse(host.check.verdict, options);

  TRY(native, client::ask_native_report(http));
  if (native) {
    TRY_VOID(gather(collateral::find_evidence(native->text), options, host.judging));
    const verify::Expected expected{native->nonce, native->tls_spki_sha256, http.url().host};
    verify::Verdict verdict = verify::verify_report(native->text, expected, host.judging.context());
    verdict.subject = "host " + options.url + ", the keys of its receipts";
    if (verdict.outcome() != verify::Outcome::kAccepted) return refuse(verdict, options);
    host.native = std::move(native);
  } else if (!options.archive.empty()) {
    return fail(ErrorCode::kUsage, "this node gives no receipts, so there is nothing to keep in an archive");
  } else if (options.require_receipt) {
    std::fprintf(stderr, "cloister chat: nothing was sent, because this host gives no receipts\n");
    return static_cast<int>(verify::Outcome::kRejected);
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
  command->add_option(
      "--archive", options->archive,
      "write the (last) reply's receipt with everything that it is judged by to this file (cloister verify archive)");
  command->add_option("--system", options->system, "system message; may be empty. Default: none, so that the model's own stands");
  command->add_option("--temperature", options->temperature, "0 is the likeliest words, the same each time; default: the node's");
  command->add_flag("--require-receipt", options->require_receipt,
                    "say nothing to a node that gives no receipts, as those of other makers");
  command->add_flag("--checks", options->checks,
                    "print every check that was made, not only those that were not passed");
  command->add_flag("--no-stream", options->no_stream, "ask for the reply in one piece");
  command->callback([options, &exit_status] {
    Result<int> status = chat(*options);
    exit_status = status ? *status : print_error("chat", status.error());
  });
}

}  // namespace cloister::apps
