// cloister chat: verifies first, then chats, then checks the signature and the receipt of each reply. No content is
// sent to a node that was not accepted.
#include <signal.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apps/client_options.h"
#include "apps/commands.h"
#include "apps/file_options.h"
#include "apps/numbers.h"
#include "apps/output.h"
#include "apps/shell_word.h"
#include "apps/verify/gather.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/terminal_text.h"
#include "client/chat.h"
#include "client/host_check.h"
#include "client/inquiry.h"
#include "client/receipt_check.h"
#include "client/verified_connection.h"
#include "codec/json.h"
#include "collateral/evidence_scan.h"
#include "evidence/archive.h"
#include "verify/bundle.h"
#include "verify/signature.h"

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

// A node, what was found out about it, and what its replies are verified with, at the time of each reply.
struct Host {
  client::NodeAddress address;
  evidence::SigningAlgo algo = evidence::SigningAlgo::kEcdsa;
  client::HostCheck check;
  Judging judging;
};

// The worse of two outcomes: rejected, then undetermined, then accepted.
int worse(int a, int b) { return a == 0 || b == static_cast<int>(verify::Outcome::kRejected) ? b : a; }

// Shows all checks where they were asked for, else those that prevent acceptance. Returns the exit status.
int show_verdict(const verify::Verdict& verdict, const ChatOptions& options) {
  if (options.checks || options.json) return print_verdict(verdict, options);
  print_text(stdout, verify::to_summary(verdict, is_terminal(stdout)));
  flush_output();
  return static_cast<int>(verdict.outcome());
}

Result<std::string> archive_of(const client::ChatReply& reply, const std::string& receipt, const Host& host,
                               UnixSeconds judged_at) {
  evidence::Archive archive;
  archive.judged_at = judged_at;
  archive.receipt = receipt;
  archive.report = host.check.report.text;
  archive.nonce = host.check.report.nonce;
  archive.request = std::string(as_text(reply.proof.request));
  archive.response = std::string(as_text(reply.proof.response));
  TRY(collateral, codec::parse_json(verify::write_bundle(host.judging.collateral), {.max_bytes = 64u << 20}));
  archive.collateral = std::move(collateral);
  return evidence::write_archive(archive);
}

// The verdict about the receipt of a reply; absent where the node gives none.
Result<std::optional<verify::Verdict>> check_receipt(const ChatOptions& options, const client::VerifiedConnection& node,
                                                     const Host& host, const client::ChatReply& reply,
                                                     const std::string& model) {
  if (!host.check.report.native) return std::optional<verify::Verdict>();
  std::optional<std::string> receipt;
  if (!reply.receipt_id.empty()) {
    TRY(text, client::fetch_receipt(node, reply.receipt_id));
    receipt = std::move(text);
  }
  // The host may have been verified long before this reply.
  const UnixSeconds now = system_clock().now();
  const verify::Context context{host.judging.policy, host.judging.collateral, now};
  verify::Verdict verdict = client::judge_receipt(node, host.check.report, reply, receipt, model, context);
  verdict.subject = "receipt of the reply, and the keys that signed it";
  if (receipt && !options.archive.empty()) {
    TRY(archive, archive_of(reply, *receipt, host, now));
    TRY_VOID(write_file_atomically(options.archive, archive, 0600));
  }
  return std::optional(std::move(verdict));
}

// What a file says about its own time and nonce does not count: whoever keeps it has to know both.
void say_how_to_judge(const ChatOptions& options, const Host& host, UnixSeconds time) {
  if (options.save.empty() && options.archive.empty()) return;
  std::string known = " --at " + to_rfc3339(time) + " --nonce " + to_hex(host.check.report.nonce);
  if (!options.policy_file.empty()) known += " --policy " + shell_word(options.policy_file);
  if (options.accept_simulator) known += " --accept-simulator";
  // A proof holds a signature, which names no model.
  const std::string manifest =
      options.model_manifest_file.empty() ? "" : " --model-manifest " + shell_word(options.model_manifest_file);
  say("");
  say("To verify it later (keep the time and the nonce yourself; those in a file do not count):");
  if (!options.save.empty()) say("  cloister verify proof " + shell_word(options.save) + known);
  verify::Verdict proof = host.check.verdict;
  verify::check_unnamed_digests(host.judging.policy, proof);
  const verify::Check* named = proof.find("signature.policy_digest");
  if (!options.save.empty() && named != nullptr && named->state == verify::State::kSkipped && named->required) {
    say("    (undetermined: a signature does not say under which configuration the reply was made; an archive does)");
  }
  if (!options.archive.empty()) say("  cloister verify archive " + shell_word(options.archive) + known + manifest);
}

// While a reply arrives, nothing about it has been checked: a user who interrupts it must not believe that it was.
volatile std::sig_atomic_t g_replying = 0;

// One question and the verdict about its reply, including the host's and the receipt's.
Result<int> one_turn(const ChatOptions& options, const client::VerifiedConnection& node, Host& host,
                     client::ChatTurn& turn) {
  QuotedText quoted(terminal_columns(stdout), terminal_reads_utf8());
  bool begun = false;
  auto show = [&](std::string_view words) {
    if (options.json) return;
    begun = true;
    print_bytes(stdout, quoted.feed(words));
    flush_output();
  };
  g_replying = 1;
  Result<client::ChatReply> asked = client::ask(node, host.check, turn, system_clock(), show);
  if (!asked) {
    // A message of this program begins a new line.
    if (begun) print_bytes(stdout, quoted.finish() + "\n");
    flush_output();
    return asked.error();
  }
  client::ChatReply& reply = *asked;
  // A conversation can last for days, and a reply for minutes.
  host.judging.time = system_clock().now();
  if (!options.json) print_bytes(stdout, quoted.finish() + "\n");
  turn.messages.push_back({{"role", "assistant"}, {"content", reply.text}});
  reply.proof.url = options.url;
  if (!options.save.empty()) TRY_VOID(write_file_atomically(options.save, evidence::write_proof(reply.proof), 0600));

  const UnixSeconds asked_at = reply.proof.time;
  TRY(receipt, check_receipt(options, node, host, reply, turn.model));
  g_replying = 0;
  verify::Verdict whole = host.check.verdict;
  whole.append(std::move(reply.verdict));
  if (!receipt) verify::check_unnamed_digests(host.judging.policy, whole);
  whole.subject = "host " + options.url + " and its signature of the reply";
  if (options.json) {
    Json out = {{"reply", reply.text}, {"verdict", verify::to_json(whole)}, {"receipt", Json()}};
    if (receipt) out["receipt"] = verify::to_json(*receipt);
    print_json(out);
    return worse(static_cast<int>(whole.outcome()), receipt ? static_cast<int>(receipt->outcome()) : 0);
  }
  int status = show_verdict(whole, options);
  if (receipt) {
    say("");
    status = worse(status, show_verdict(*receipt, options));
  } else {
    print_bytes(stdout, "\nThis node gives no receipts: the signature alone was checked.\n");
  }
  say_how_to_judge(options, host, asked_at);
  return status;
}

Result<int> refuse(const verify::Verdict& verdict, const ChatOptions& options) {
  complain("chat", "nothing was sent, because this host was not accepted");
  return show_verdict(verdict, options);
}

int refuse_without_receipts() {
  complain(
      "chat",
      "nothing was sent, because this host's configuration says that it gives receipts, but its own report, which is needed to verify them, "
      "cannot be fetched: a machine on the way hides it");
  return static_cast<int>(verify::Outcome::kUndetermined);
}

// Asks for the report and verifies it. Nothing that a user said is sent here.
Result<void> verify_node(const ChatOptions& options, Host& host) {
  TRY(report, client::Inquiry(host.address).ask_host({host.algo, options.client.model}));
  TRY_VOID(gather(collateral::find_evidence(report.text), options, host.judging));
  host.judging.time = system_clock().now();
  host.check = client::judge_host(std::move(report), host.judging.context());
  host.check.verdict.subject = "host " + options.url;
  host.check.verdict.facts["nonce"] = to_hex(host.check.report.nonce);
  return {};
}

// Verifies again, at this time, what is known of the host. Where it is no longer accepted, because a keyset or
// collateral has expired, the host is asked for a new report. Returns whether a new connection is needed.
Result<bool> is_renewed(const ChatOptions& options, Host& host) {
  host.judging.time = system_clock().now();
  client::HostCheck again = client::judge_host(host.check.report, host.judging.context());
  if (again.accepted()) {
    again.verdict.subject = std::move(host.check.verdict.subject);
    again.verdict.facts["nonce"] = to_hex(again.report.nonce);
    host.check = std::move(again);
    return false;
  }
  complain("chat", "the verdict about the host is no longer accepted: the host is verified again");
  TRY(judging, load_judging(options));
  host.judging = std::move(judging);
  TRY_VOID(verify_node(options, host));
  return true;
}

Result<int> converse(const ChatOptions& options, const std::string& token, client::VerifiedConnection node, Host& host,
                     client::ChatTurn& turn) {
  bool interactive = ::isatty(STDIN_FILENO) == 1;
  int worst = kExitOk;
  std::string line;
  while (true) {
    if (interactive) print_bytes(stdout, "> ");
    if (!flush_output() || !std::getline(std::cin, line)) break;
    if (line.empty()) continue;
    TRY(renewed, is_renewed(options, host));
    if (renewed && !host.check.accepted()) {
      TRY(refused, refuse(host.check.verdict, options));
      return worse(worst, refused);
    }
    if (renewed && client::hides_receipts(host.check)) return worse(worst, refuse_without_receipts());
    if (renewed) {
      TRY(again, client::VerifiedConnection::make(host.address, host.check, token));
      node = std::move(again);
    }
    turn.messages.push_back({{"role", "user"}, {"content", line}});
    TRY(status, one_turn(options, node, host, turn));
    worst = worse(worst, status);
    if (status != kExitOk) {
      const bool rejected = status == static_cast<int>(verify::Outcome::kRejected);
      complain("chat", std::string("no further prompt is sent to this host: its reply was ") +
                           (rejected ? "rejected" : "not accepted"));
      return worst;
    }
  }
  return worst;
}

Result<Host> first_look(const ChatOptions& options) {
  Host host;
  TRY(address, node_address(options.url, options.client));
  TRY(algo, evidence::parse_signing_algo(options.client.signing_algo));
  TRY(judging, load_judging(options));
  host.address = std::move(address);
  host.algo = algo;
  host.judging = std::move(judging);
  TRY_VOID(verify_node(options, host));
  return host;
}

void on_interrupt(int) {
  constexpr std::string_view kIdle = "\ncloister chat: interrupted\n";
  constexpr std::string_view kReplying =
      "\ncloister chat: interrupted: the reply is not whole, and neither its signature nor its receipt was checked\n";
  const std::string_view words = g_replying != 0 ? kReplying : kIdle;
  static_cast<void>(!::write(STDERR_FILENO, words.data(), words.size()));
  ::_exit(kExitInterrupted);
}

Result<int> chat(const ChatOptions& options) {
  TRY_VOID(check_can_write("--save", options.save));
  TRY_VOID(check_can_write("--archive", options.archive));
  ::signal(SIGINT, on_interrupt);
  TRY(token, read_token(options.client));
  TRY(host, first_look(options));
  if (!host.check.accepted()) return refuse(host.check.verdict, options);
  const bool receipts = client::gives_receipts(host.check.report);
  if (!receipts && !options.archive.empty()) {
    return fail(ErrorCode::kUsage, "this node gives no receipts, so there is nothing to keep in an archive");
  }
  if (!receipts && options.require_receipt) {
    complain("chat", "nothing was sent, because this host gives no receipts");
    return static_cast<int>(verify::Outcome::kRejected);
  }
  if (client::hides_receipts(host.check)) return refuse_without_receipts();
  TRY(node, client::VerifiedConnection::make(host.address, host.check, token));

  client::ChatTurn turn;
  turn.algo = host.algo;
  turn.stream = !options.no_stream;
  turn.temperature = options.temperature;
  turn.messages = Json::array();
  if (options.system) turn.messages.push_back({{"role", "system"}, {"content", *options.system}});
  turn.model = options.client.model;
  if (turn.model.empty()) {
    TRY(model, client::first_model(node));
    turn.model = model;
  }
  if (options.prompt.empty()) return converse(options, token, std::move(node), host, turn);
  turn.messages.push_back({{"role", "user"}, {"content", options.prompt}});
  return one_turn(options, node, host, turn);
}

}  // namespace

void add_chat_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("chat", "verify a host, send prompts to it, verify every reply");
  auto options = std::make_shared<ChatOptions>();
  command->add_option("URL", options->url)->required();
  command->add_option("PROMPT", options->prompt,
                      "one question; without it, each line of standard input is a question of one conversation");
  bind_client_options(*command, options->client);
  bind_token_option(*command, options->client);
  command
      ->add_option(
          "--reply-timeout", options->client.reply_timeout_s,
          "seconds that a reply may take: when streamed, until it begins and between two pieces; otherwise until it is complete")
      ->check(whole_number_in(1, 86400))
      ->capture_default_str();
  bind_judge_options(*command, *options, true);
  command
      ->add_option("--model-manifest", options->model_manifest_file,
                   "the expected identity of the model, as cloister models manifest writes it")
      ->check(CLI::ExistingFile);
  command->add_option("--save", options->save, "write a proof of the (last) reply to this file");
  command->add_option(
      "--archive", options->archive,
      "write the (last) reply's receipt and everything that it is verified with to this file (cloister verify archive)");
  command->add_option("--system", options->system,
                      "system message; may be empty. Default: none, so that the model's own applies");
  command
      ->add_option("--temperature", options->temperature,
                   "0 takes the likeliest words, the same each time; default: the node's")
      ->check(number_in(0, 100));
  command->add_flag("--require-receipt", options->require_receipt,
                    "send nothing to a node that gives no receipts, such as a node of another maker");
  command->add_flag("--checks", options->checks, "print every check that was made, not only those that did not pass");
  command->add_flag("--no-stream", options->no_stream, "ask for the reply in one piece");
  command->callback([options, &exit_status] {
    Result<int> status = chat(*options);
    exit_status = status ? *status : print_error("chat", status.error());
  });
}

}  // namespace cloister::apps
