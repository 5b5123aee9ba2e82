// What the commands that talk to a node share: token, TLS, policy, output.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "client/node_address.h"
#include "evidence/chat_signature.h"
#include "verify/report.h"
#include "verify/verdict.h"

namespace cloister::apps {

struct ClientOptions {
  std::string token_file;   // cloister chat alone
  bool allow_self_signed = false;
  bool insecure_http = false;
  std::string signing_algo = "ecdsa";
  std::string model;
  int answer_timeout_s = client::NodeAddress{}.answer_timeout_s;
  int reply_timeout_s = client::NodeAddress{}.reply_timeout_s;
};
// How a node is reached and asked for its report.
void bind_client_options(CLI::App& command, ClientOptions& options);
// The token too: for a command that sends it to a node that it has verified.
void bind_token_option(CLI::App& command, ClientOptions& options);
Result<client::NodeAddress> node_address(const std::string& url, const ClientOptions& options);
// From the file, else from the environment variable CLOISTER_TOKEN; empty without.
Result<std::string> read_token(const ClientOptions& options);

struct OutputOptions {
  bool accept_simulator = false;
  bool json = false;
  bool brief = false;   // the verdict and its reasons alone
};
void bind_output_options(CLI::App& command, OutputOptions& options);

// An option with an empty value, as that of a variable that is not set, is an error and not an option that was left out. For this command and
// those below it; call it when all options are there.
void refuse_empty_values(CLI::App& command);

// Prints the verdict to standard output and returns the exit status it stands for.
int print_verdict(const verify::Verdict& verdict, const OutputOptions& options);
// Prints one line to standard error and returns the status for unreadable input.
int print_error(const char* command, const Error& error);

}  // namespace cloister::apps
