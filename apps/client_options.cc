#include "apps/client_options.h"

#include <cstdlib>
#include <string_view>

#include "apps/commands.h"
#include "apps/numbers.h"
#include "apps/output.h"
#include "base/file.h"

namespace cloister::apps {
namespace {

constexpr std::string_view kVersionPath = "/v1";

}  // namespace

void bind_client_options(CLI::App& command, ClientOptions& options) {
  command.add_flag(
      "--allow-self-signed", options.allow_self_signed,
      "do not ask for a certificate from the web's authorities: the TLS key is only compared with the quote");
  command.add_flag("--insecure-http", options.insecure_http,
                   "allow http to another machine: everyone on the way can read everything, and the verdict says so");
  command.add_option("--signing-algo", options.signing_algo, "which of the node's signing keys")
      ->check(CLI::IsMember({"ecdsa", "ed25519"}))
      ->capture_default_str();
  command.add_option("--model", options.model, "model id; default: the first one the node lists");
  command
      .add_option("--timeout", options.answer_timeout_s,
                  "seconds that a report, a signature or a receipt may take, from connecting to the last byte")
      ->check(whole_number_in(1, 86400))
      ->capture_default_str();
}

void bind_token_option(CLI::App& command, ClientOptions& options) {
  command.add_option(
      "--token-file", options.token_file,
      "bearer token (else the environment variable CLOISTER_TOKEN); sent to a verified node only, and never "
      "over http to another machine");
}

void refuse_empty_values(CLI::App& command) {
  const CLI::Validator not_empty(
      [](std::string& value) { return value.empty() ? "expected a value, got an empty one" : std::string(); }, "");
  for (CLI::Option* option : command.get_options()) {
    if (option->get_expected_max() > 0) option->check(not_empty);
  }
  for (CLI::App* below : command.get_subcommands(nullptr)) refuse_empty_values(*below);
}

Result<client::NodeAddress> node_address(const std::string& url, const ClientOptions& options) {
  client::NodeAddress address;
  TRY(parsed, http::parse_url(url));
  address.url = std::move(parsed);
  // SDKs are given the base URL including the version.
  if (std::string& path = address.url.base_path; path.ends_with(kVersionPath))
    path.resize(path.size() - kVersionPath.size());
  address.verify_web_pki = !options.allow_self_signed;
  address.insecure_http = options.insecure_http;
  address.answer_timeout_s = options.answer_timeout_s;
  address.reply_timeout_s = options.reply_timeout_s;
  return address;
}

Result<std::string> read_token(const ClientOptions& options) {
  const std::string& path = options.token_file;
  if (path.empty()) {
    const char* token = std::getenv("CLOISTER_TOKEN");
    return std::string(token != nullptr ? token : "");
  }
  TRY(text, read_file(path, 64 << 10));
  std::string token = text.substr(0, text.find('\n'));
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.empty()) return fail(ErrorCode::kUsage, path + " holds no token in its first line");
  return token;
}

void bind_output_options(CLI::App& command, OutputOptions& options) {
  command.add_flag("--accept-simulator", options.accept_simulator,
                   "accept evidence of the simulated TEE, which proves nothing (the verdict still says so)");
  command.add_flag("--json", options.json, "print one JSON object");
}

int print_verdict(const verify::Verdict& verdict, const OutputOptions& options) {
  if (options.json) {
    print_json(verify::to_json(verdict));
  } else {
    print_text(stdout, options.brief ? verify::to_summary(verdict, is_terminal(stdout))
                                     : verify::to_text(verdict, is_terminal(stdout)));
  }
  flush_output();
  return static_cast<int>(verdict.outcome());
}

int print_error(const char* command, const Error& error) {
  complain(command, error.message);
  return kExitUsage;
}

}  // namespace cloister::apps
