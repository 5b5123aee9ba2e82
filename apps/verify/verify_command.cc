// cloister verify host | report | quote | gpu | snp | receipt | session | signature | proof | archive | bundle:
// verifies evidence; the exit status is the verdict.
#include <algorithm>
#include <cctype>
#include <memory>
#include <sstream>
#include <string>

#include "apps/commands.h"
#include "apps/output.h"
#include "apps/verify/archive_subject.h"
#include "apps/verify/file_commands.h"
#include "verify/check_list.h"
#include "verify/policy/policy_file.h"
#include "verify/samples.h"

namespace cloister::apps {
namespace {

struct Kind {
  const char* name;
  const char* help;
  const char* target;
  FileJudge judge;
};

using Options = std::shared_ptr<VerifyOptions>;

CLI::App* add_kind(CLI::App& verify, const Kind& kind, const Options& options, int& exit_status) {
  CLI::App* command = verify.add_subcommand(kind.name, kind.help);
  command->add_option(kind.target, options->target)->required();
  bind_judge_options(*command, *options, true);
  command->add_flag("--brief", options->brief, "print the verdict and the reasons for it, not every check and fact")
      ->excludes(command->get_option("--json"));
  command->callback([options, judge = kind.judge, &exit_status] {
    Result<verify::Verdict> verdict = judge(*options);
    exit_status = verdict ? print_verdict(*verdict, *options) : print_error("verify", verdict.error());
  });
  return command;
}

void add_nonce(CLI::App& command, VerifyOptions& options) {
  command.add_option("--nonce", options.nonce, "the nonce that the evidence was requested with, 64 hex characters");
}

void add_at(CLI::App& command, VerifyOptions& options) {
  command.add_option("--at", options.at, "time of the verdict, like 2026-11-22T21:31:00Z; default: now");
}

void add_file_at(CLI::App& command, VerifyOptions& options) {
  command.add_option(
      "--at", options.at,
      "time of the verdict, like 2026-11-22T21:31:00Z; without it the time in the file counts, and the verdict is undetermined at best");
}

void add_bundle(CLI::App& command, VerifyOptions& options) {
  command.add_option(
      "--bundle", options.bundle,
      "write the evidence and everything that it was verified with to this file, to verify it again with cloister verify bundle");
}

void add_model_manifest(CLI::App& command, VerifyOptions& options) {
  command
      .add_option("--model-manifest", options.model_manifest_file,
                  "the expected identity of the model, as cloister models manifest writes it")
      ->check(CLI::ExistingFile);
}

void add_bodies(CLI::App& command, VerifyOptions& options) {
  command.add_option("--request", options.request_file, "exact request body");
  command.add_option("--response", options.response_file, "exact response body");
}

void add_boot_files(CLI::App& command, VerifyOptions& options) {
  command.add_option("--event-log", options.event_log_file, "event log of what was measured during the boot, JSON");
  command.add_option("--ccel", options.ccel_file, "the firmware's own log, the data of the ACPI table CCEL");
  command.add_option("--app-compose", options.app_compose_file, "the application's compose text, byte for byte");
  command.add_option("--vm-config", options.vm_config_file, "the machine's description, JSON");
}

void print_check(const verify::CheckMeaning& check) {
  say(check.id);
  say("  a pass says: " + std::string(check.meaning));
  say("  without it one could: " + std::string(check.without));
  for (const verify::Sample* form : verify::unproven_forms(check.id)) {
    say("  no genuine sample in our tests of " + std::string(form->what) + ": " + std::string(form->note));
  }
}

// Accepts ids as people paste them: in any case, `N` or `*` for a number, or the beginning of several ids ("nvidia.gpu.*.rim.*").
std::string plain_id(const std::string& pasted) {
  std::string out;
  std::istringstream parts(pasted);
  for (std::string part; std::getline(parts, part, '.');) {
    std::ranges::transform(part, part.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out += (out.empty() ? "" : ".") + (part == "n" || part == "*" ? "0" : part);
  }
  return out;
}

int explain(const std::string& id) {
  const std::string plain = plain_id(id);
  if (const verify::CheckMeaning* check = verify::find_meaning(plain)) {
    print_check(*check);
    return kExitOk;
  }
  const std::string begin = verify::check_name(id.ends_with(".*") ? plain.substr(0, plain.rfind('.')) : plain) + ".";
  bool found = false;
  for (const verify::CheckMeaning& check : verify::check_list()) {
    if (plain != "all" && !check.id.starts_with(begin)) continue;
    print_check(check);
    found = true;
  }
  if (found) return kExitOk;
  complain("verify", "no check is called '" + id + "'; see --explain all");
  return kExitUsage;
}

// What `verify` itself answers, without evidence.
void add_answers(CLI::App& verify, int& exit_status) {
  auto wanted = std::make_shared<std::string>();
  auto policy = std::make_shared<bool>(false);
  CLI::Option* explained = verify.add_option(
      "--explain", *wanted, "explain a check by its id; the beginning of ids (tdx.tcb) or all for several");
  CLI::Option* printed = verify.add_flag("--default-policy", *policy, "print the default policy, to copy and change");
  verify.callback([&verify, wanted, policy, explained, printed, &exit_status] {
    if (explained->count() > 0) {
      exit_status = explain(*wanted);
    } else if (printed->count() > 0) {
      print_bytes(stdout, verify::kDefaultPolicyText);
    } else if (verify.get_subcommands().empty()) {
      throw CLI::RequiredError::Subcommand(1);
    }
  });
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_status) {
  CLI::App* verify =
      app.add_subcommand("verify", "check evidence; exit 0 accepted, 1 rejected, 2 unreadable, 3 undetermined");
  verify->require_subcommand(0, 1);
  auto options = std::make_shared<VerifyOptions>();
  add_answers(*verify, exit_status);

  CLI::App* host =
      add_kind(*verify, {"host", "ask a node for a report with a fresh nonce and verify it", "URL", verify_host},
               options, exit_status);
  bind_client_options(*host, options->client);
  host->add_option("--save", options->save, "write the report as served to this file");
  add_bundle(*host, *options);

  CLI::App* report =
      add_kind(*verify, {"report", "verify a saved report of any served form", "FILE", verify_report_file}, options,
               exit_status);
  report->add_option("--instances", options->instances_file,
                     "the list of instances with their keys, for evidence of Chutes that has none");
  CLI::Option* tls_key = report->add_option(
      "--tls-key", options->tls_key,
      "SHA-256 of the SubjectPublicKeyInfo that your TLS connection to the service showed, 64 hex characters");
  report
      ->add_flag("--as-document", options->as_document,
                 "you have no connection to the service: verify the report alone, whatever TLS keys it binds")
      ->excludes(tls_key);
  CLI::App* quote =
      add_kind(*verify, {"quote", "verify an Intel TDX quote: raw, hex or base64", "FILE", verify_quote_file}, options,
               exit_status);
  add_boot_files(*quote, *options);
  quote->add_option("--report-data", options->report_data, "the 64 bytes that its report data must hold, hex");
  CLI::App* gpu = add_kind(*verify,
                           {"gpu", "verify NVIDIA evidence: an evidence list, an nvidia_payload, or a whole report",
                            "FILE", verify_gpu_file},
                           options, exit_status);
  gpu->add_option("--chain", options->chain_file, "certificate chain of a bare device report, PEM or base64 of it");
  CLI::App* snp =
      add_kind(*verify, {"snp", "verify an AMD SEV-SNP report", "FILE", verify_snp_file}, options, exit_status);
  snp->add_option("--report-data", options->report_data, "the 64 bytes that its report data must hold, hex");
  CLI::App* receipt = add_kind(*verify, {"receipt", "verify the receipt of a reply", "FILE", verify_receipt_file},
                               options, exit_status);
  receipt->add_option("--report", options->report_file, "the report whose keyset signed it");
  receipt->add_option("--keyset", options->keyset_file,
                      "a keyset that was verified before: without a report, or to compare with the report's");
  receipt->add_option("--session", options->session_file,
                      "the session of the upstream that it names, as the gateway serves it");
  receipt->add_option("--prefix-proof", options->prefix_proof_file,
                      "proof of a stream's beginning, for a file of --response that holds only the first events");
  receipt->add_option(
      "--archive", options->archive,
      "unless the receipt is rejected, write it and everything that it was verified with to this file, to keep");
  receipt->add_option("--id", options->id, "id of the reply or of the receipt, as the service gave it with the reply");
  receipt->add_option("--model", options->model, "the model that was asked for");
  CLI::App* session = add_kind(*verify,
                               {"session", "verify a gateway's record of an upstream that the gateway verified (ACI)",
                                "FILE", verify_session_file},
                               options, exit_status);
  session->add_option("--id", options->id, "the id by which it was named, 64 hex characters");
  session->add_option("--receipt", options->receipt_file, "the receipt that names it");
  CLI::App* archive = add_kind(
      *verify,
      {"archive", "verify an archive alone, without a network; the time and the nonce in it are only its own claims",
       "FILE", verify_archive_file},
      options, exit_status);
  CLI::App* bundle = add_kind(
      *verify,
      {"bundle", "verify what --bundle wrote, without a network; the time and the nonce in it are only its own claims",
       "FILE", verify_bundle_file},
      options, exit_status);
  CLI::App* signature =
      add_kind(*verify, {"signature", "verify the answer of /v1/signature", "FILE", verify_signature_file}, options,
               exit_status);
  CLI::App* proof = add_kind(
      *verify,
      {"proof", "verify a proof file; the time and the nonce in it are only its own claims", "FILE", verify_proof_file},
      options, exit_status);
  signature->add_option("--address", options->address, "the attested signing address");
  bundle->add_option("--address", options->address, "the attested signing address, of a signature");
  bundle->add_option("--report-data", options->report_data,
                     "the 64 bytes that the report data of a quote or an SNP report must hold, hex");
  for (CLI::App* command : {archive, bundle}) {
    command->add_option("--id", options->id, "id of the reply, the receipt or the session, as it was given to you");
    command->add_option("--model", options->model, "the model that you asked for");
    command->add_flag("--beginning", options->beginning,
                      "the file may hold only the beginning of the reply: verify as much as is there");
  }

  for (CLI::App* command : {host, report, receipt, archive, bundle}) add_model_manifest(*command, *options);
  for (CLI::App* command : {report, gpu, receipt, archive, bundle, proof}) add_nonce(*command, *options);
  for (CLI::App* command : {receipt, signature, archive, bundle}) add_bodies(*command, *options);
  for (CLI::App* command : {report, quote, gpu, snp, receipt, session, signature, proof})
    add_bundle(*command, *options);
  for (CLI::App* command : {report, quote, gpu, snp, receipt, session, signature}) add_at(*command, *options);
  for (CLI::App* command : {archive, bundle, proof}) add_file_at(*command, *options);
  refuse_empty_values(*verify);
}

}  // namespace cloister::apps
