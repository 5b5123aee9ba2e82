#include "config/option_conflicts.h"

#include <algorithm>
#include <string>

#include "config/effects.h"
#include "config/listen_address.h"

namespace cloister::config {
namespace {

Error usage(const std::string& message) { return fail(ErrorCode::kUsage, message); }

Error nothing(const std::string& option, const std::string& why) { return usage(option + " would do nothing: " + why); }

Error exclude(const std::string& one, const std::string& other) {
  return usage(one + " and " + other + " exclude each other");
}

Result<void> check_callers(const ServeOptions& o) {
  TRY(listen, parse_listen(o.listen));
  if (o.no_auth && needs_token(o)) return exclude("--no-auth", "--api-key-file");
  if (!listen.loopback && !needs_token(o) && !o.no_auth) {
    return usage("listening on " + listen.address +
                 " without tokens would serve all callers: give --api-key-file, or --no-auth if that is meant");
  }
  return {};
}

Result<void> check_tls(const ServeOptions& o) {
  const bool certificate = !o.tls_certificate_file.empty(), key = !o.tls_key_file.empty();
  if (o.tls.empty() && certificate && !key) {
    return usage("--tls-cert needs --tls-key, or --tls tee-key for a key of the TEE's own");
  }
  if (!o.tls.empty() && key) return usage("--tls " + o.tls + " takes no --tls-key: the key is the TEE's own");
  if (o.tls == "self-signed" && certificate) {
    return usage(
        "--tls self-signed and --tls-cert exclude each other; a certificate from outside for the TEE's own key goes with --tls tee-key");
  }
  if (!o.tls_names.empty() && o.tls.empty() && !certificate) {
    return nothing("--tls-name", "the node would speak plain HTTP without --tls or --tls-cert");
  }
  if (!o.tls_request_file.empty() && o.tls != "tee-key") return nothing("--tls-csr", "it is for --tls tee-key");
  return {};
}

Result<void> check_engine(const ServeOptions& o) {
  const std::string engine = engine_kind(o);
  const bool upstream = engine == "upstream";
  if (upstream && !o.model_path.empty()) return exclude("--model", "--upstream");
  if (!upstream && !o.upstream_key_file.empty()) return usage("--upstream-key-file needs --upstream");
  if (!upstream && !o.upstream_model_files.empty()) return usage("--upstream-model-files needs --upstream");
  if (!upstream && !o.upstreams.empty()) return usage("--upstream needs --engine upstream, or no --engine");
  if (!upstream && o.cache_salt == "on") return nothing("--cache-salt on", "it is for --upstream");
  const bool no_answers = std::ranges::find(o.known_answers, "none") != o.known_answers.end();
  if (no_answers && o.known_answers.size() > 1)
    return usage("--known-answers none excludes every other --known-answers");
  if (engine == "echo" && !o.known_answers.empty() && !no_answers) {
    return nothing("--known-answers", "the echo engine has no model");
  }
  if (engine != "llama" && o.lock_model == "on") return nothing("--lock-model on", "this node loads no model itself");
  if (engine == "echo" && !o.model_path.empty()) return nothing("--model", "the echo engine has no model");
  const bool echo_words = o.echo_first_token_ms != 0 || o.echo_token_gap_ms != 0 || o.echo_tokens != 0;
  if (engine != "echo" && echo_words) return nothing("--echo-...", "it is for --engine echo");
  return {};
}

Result<void> check_gpu(const ServeOptions& o) {
  const bool no_gate = o.require_gpu_tee == "off" || o.allow_non_cc_gpu;
  if (!o.gpu_policy_file.empty() && no_gate) return nothing("--gpu-policy", "GPUs may serve without attestation");
  if (o.require_gpu_tee == "on" && o.allow_non_cc_gpu) return exclude("--require-gpu-tee on", "--allow-non-cc-gpu");
  if (!o.nvml_library.empty() && (o.gpu == "insecure-simulator" || o.gpu == "none")) {
    return nothing("--nvml-library", "no GPU of this machine is asked for evidence");
  }
  return {};
}

Result<void> check_receipts(const ServeOptions& o) {
  if (o.receipts_survive == "power" && o.receipts == "memory") {
    return nothing("--receipts-survive power", "receipts are kept in memory");
  }
  if (!o.receipt_file.empty() && o.receipts != "sqlite")
    return nothing("--receipt-file", "it is for --receipts sqlite");
  if (!o.receipt_postgres_file.empty() && o.receipts != "postgres") {
    return nothing("--receipt-postgres-file", "it is for --receipts postgres");
  }
  return {};
}

}  // namespace

Result<void> check_tee_choice(const ServeOptions& o) {
  const bool automatic = o.tee == "auto";
  if (!o.tee_socket.empty() && !automatic && o.tee != "dstack") {
    return usage("--tee-socket belongs to --tee dstack, not to --tee " + o.tee);
  }
  if (!o.tsm_root.empty() && !automatic && o.tee != "tsm") {
    return usage("--tsm-root belongs to --tee tsm, not to --tee " + o.tee);
  }
  if (!o.tee_socket.empty() && !o.tsm_root.empty()) return exclude("--tee-socket", "--tsm-root");
  return {};
}

Result<void> check_option_conflicts(const ServeOptions& options) {
  TRY_VOID(check_callers(options));
  TRY_VOID(check_tls(options));
  TRY_VOID(check_engine(options));
  TRY_VOID(check_tee_choice(options));
  TRY_VOID(check_gpu(options));
  return check_receipts(options);
}

Result<void> check_model(const ServeOptions& options) {
  if (engine_kind(options) != "llama" || !options.model_path.empty()) return {};
  return usage("--model is required: the GGUF file to serve");
}

}  // namespace cloister::config
