// cloister verify host | report | signature: judges evidence; the exit status is the verdict.
#include <cstdio>
#include <memory>

#include "apps/client_options.h"
#include "apps/commands.h"
#include "base/encoding.h"
#include "base/file.h"
#include "client/host_check.h"
#include "codec/json.h"
#include "verify/signature.h"

namespace cloister::apps {
namespace {

constexpr std::size_t kFileLimit = 64u << 20;

struct VerifyOptions : OutputOptions {
  ClientOptions client;
  std::string target;          // URL or file
  std::string save;
  std::string nonce;
  std::string at;
  std::string request_file, response_file, address;
};

Result<UnixSeconds> judged_time(const VerifyOptions& options) {
  if (options.at.empty()) return system_clock().now();
  return from_rfc3339(options.at);
}

Result<verify::Verdict> verify_host(const VerifyOptions& options) {
  TRY(http, make_client(options.target, options.client));
  TRY(algo, evidence::parse_signing_algo(options.client.signing_algo));
  TRY(check, client::check_host(http, {algo, options.client.model}, {.accept_simulator = options.accept_simulator}, system_clock()));
  if (!options.save.empty()) TRY_VOID(write_file_atomically(options.save, check.report, 0644));
  check.verdict.subject = "host " + options.target;
  check.verdict.facts["nonce"] = check.nonce_hex;
  return check.verdict;
}

Result<verify::Verdict> verify_report_file(const VerifyOptions& options) {
  TRY(text, read_file(options.target, kFileLimit));
  TRY(time, judged_time(options));
  verify::Expected expected;
  if (!options.nonce.empty()) {
    TRY(nonce, from_hex_exactly<32>(options.nonce));
    expected.nonce = nonce;
  }
  return verify::verify_report(text, expected, {{.accept_simulator = options.accept_simulator}, {}, time});
}

Result<verify::Verdict> verify_bare_signature(const VerifyOptions& options, const Json& object) {
  verify::SignatureEvidence judged;
  TRY(signature, evidence::parse_chat_signature(object));
  judged.signature = std::move(signature);
  std::string request, response;
  if (!options.request_file.empty()) {
    TRY(bytes, read_file(options.request_file, kFileLimit));
    request = std::move(bytes);
    judged.request = as_bytes(request);
  }
  if (!options.response_file.empty()) {
    TRY(bytes, read_file(options.response_file, kFileLimit));
    response = std::move(bytes);
    judged.response = as_bytes(response);
  }
  if (!options.address.empty()) judged.attested_address = options.address;
  return verify::verify_signature(judged);
}

Result<verify::Verdict> verify_signature_file(const VerifyOptions& options) {
  TRY(text, read_file(options.target, kFileLimit));
  TRY(object, codec::parse_json(text, {kFileLimit, 64}));
  if (!object.is_object() || !object.contains("proof")) return verify_bare_signature(options, object);
  TRY(proof, evidence::parse_proof(text));
  TRY(time, judged_time(options));
  return verify::verify_proof(proof, {{.accept_simulator = options.accept_simulator}, {}, time});
}

using Verifier = Result<verify::Verdict> (*)(const VerifyOptions&);

CLI::App* add_kind(CLI::App& verify, const char* name, const char* help, const char* target, Verifier verifier,
                   const std::shared_ptr<VerifyOptions>& options, int& exit_status) {
  CLI::App* command = verify.add_subcommand(name, help);
  command->add_option(target, options->target)->required();
  bind_output_options(*command, *options);
  command->callback([options, verifier, &exit_status] {
    Result<verify::Verdict> verdict = verifier(*options);
    exit_status = verdict ? print_verdict(*verdict, *options) : print_error("verify", verdict.error());
  });
  return command;
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_status) {
  CLI::App* verify = app.add_subcommand("verify", "check evidence; exit 0 accepted, 1 rejected, 2 unreadable, 3 undetermined");
  verify->require_subcommand(1);
  auto options = std::make_shared<VerifyOptions>();

  CLI::App* host = add_kind(*verify, "host", "ask a node for a report with a fresh nonce and judge it", "URL", verify_host,
                            options, exit_status);
  bind_client_options(*host, options->client);
  host->add_option("--save", options->save, "write the report as served to this file");

  CLI::App* report = add_kind(*verify, "report", "judge a saved report", "FILE", verify_report_file, options, exit_status);
  report->add_option("--nonce", options->nonce, "the nonce it was asked with, 64 hex characters");
  report->add_option("--at", options->at, "time to judge at, like 2026-11-22T21:31:00Z; default: now");

  CLI::App* signature = add_kind(*verify, "signature", "judge a proof file, or the answer of /v1/signature", "FILE",
                                 verify_signature_file, options, exit_status);
  signature->add_option("--request", options->request_file, "exact request body (for a bare signature)");
  signature->add_option("--response", options->response_file, "exact response body (for a bare signature)");
  signature->add_option("--address", options->address, "the attested signing address (for a bare signature)");
  signature->add_option("--at", options->at, "time to judge at, like 2026-11-22T21:31:00Z; default: now");
}

}  // namespace cloister::apps
