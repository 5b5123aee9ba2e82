#include "apps/client_options.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "apps/commands.h"
#include "base/file.h"
#include "codec/json.h"

namespace cloister::apps {
namespace {

Result<std::string> read_token(const std::string& path) {
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

}  // namespace

void bind_client_options(CLI::App& command, ClientOptions& options) {
  command.add_option("--token-file", options.token_file, "bearer token (else the environment variable CLOISTER_TOKEN)");
  command.add_flag("--allow-self-signed", options.allow_self_signed,
                   "do not ask the web's certificate authorities: the TLS key is checked against the quote only");
  command.add_option("--signing-algo", options.signing_algo, "which of the node's signing keys")
      ->check(CLI::IsMember({"ecdsa", "ed25519"}))
      ->capture_default_str();
  command.add_option("--model", options.model, "model id; default: the first one the node lists");
}

Result<http::Client> make_client(const std::string& url, const ClientOptions& options) {
  TRY(parsed, http::parse_url(url));
  TRY(token, read_token(options.token_file));
  http::ClientOptions settings;
  settings.bearer_token = std::move(token);
  settings.verify_web_pki = !options.allow_self_signed;
  return http::Client(std::move(parsed), std::move(settings));
}

void bind_output_options(CLI::App& command, OutputOptions& options) {
  command.add_flag("--accept-simulator", options.accept_simulator,
                   "accept evidence of the simulated TEE, which proves nothing (the verdict still says so)");
  command.add_flag("--json", options.json, "print one JSON object");
}

int print_verdict(const verify::Verdict& verdict, const OutputOptions& options) {
  if (options.json) {
    std::printf("%s\n", codec::write_json(verify::to_json(verdict)).c_str());
  } else {
    std::fputs(verify::to_text(verdict, ::isatty(STDOUT_FILENO) == 1).c_str(), stdout);
  }
  std::fflush(stdout);
  return static_cast<int>(verdict.outcome());
}

int print_error(const char* command, const Error& error) {
  std::fprintf(stderr, "cloister %s: %s\n", command, error.message.c_str());
  return kExitUsage;
}

}  // namespace cloister::apps
