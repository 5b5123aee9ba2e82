// What the commands that talk to a node have in common: token, TLS, policy, output.
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
  std::string token_file;  // for cloister chat alone
  bool allow_self_signed = false;
  bool insecure_http = false;
  std::string signing_algo = "ecdsa";
  std::string model;
  int answer_timeout_s = client::NodeAddress{}.answer_timeout_s;
  int reply_timeout_s = client::NodeAddress{}.reply_timeout_s;
};
// Binds the options that say how to reach a node and ask for its report.
void bind_client_options(CLI::App& command, ClientOptions& options);
// Binds the token as well: for a command that sends it to a node that it has verified.
void bind_token_option(CLI::App& command, ClientOptions& options);
Result<client::NodeAddress> node_address(const std::string& url, const ClientOptions& options);
// Reads it from the file, else from the environment variable CLOISTER_TOKEN; empty without one.
Result<std::string> read_token(const ClientOptions& options);

struct OutputOptions {
  bool accept_simulator = false;
  bool json = false;
  bool brief = false;  // print the verdict and its reasons alone
};
void bind_output_options(CLI::App& command, OutputOptions& options);

// Makes an option with an empty value, such as that of an unset variable, an error instead of an omitted option. For
// this command and those below it; call it when all options have been added.
void refuse_empty_values(CLI::App& command);

// Prints the verdict to standard output and returns its exit status.
int print_verdict(const verify::Verdict& verdict, const OutputOptions& options);
// Prints one line to standard error and returns the status for unreadable input.
int print_error(const char* command, const Error& error);

}  // namespace cloister::apps
