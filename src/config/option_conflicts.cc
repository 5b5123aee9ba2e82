#include "config/option_conflicts.h"

#include <string>

#include "config/effects.h"

namespace cloister::config {

Result<void> check_option_conflicts(const ServeOptions& options) {
  const std::string engine = engine_kind(options);
  const auto nothing = [](const std::string& option, const std::string& why) {
    return fail(ErrorCode::kUsage, option + " would do nothing: " + why);
  };
  if (options.no_auth && !options.api_key_file.empty()) {
    return fail(ErrorCode::kUsage, "--no-auth and --api-key-file exclude each other");
  }
  if (options.cache_salt == "on" && engine != "upstream") return nothing("--cache-salt on", "it is for --upstream");
  if (engine == "echo" && !options.known_answers.empty() && options.known_answers != std::vector<std::string>{"none"}) {
    return nothing("--known-answers", "the echo engine has no model");
  }
  if (options.lock_model == "on" && engine != "llama")
    return nothing("--lock-model on", "this node loads no model itself");
  const bool no_gate = options.require_gpu_tee == "off" || options.allow_non_cc_gpu;
  if (!options.gpu_policy_file.empty() && no_gate) return nothing("--gpu-policy", "GPUs may serve without attestation");
  if (options.require_gpu_tee == "on" && options.allow_non_cc_gpu) {
    return fail(ErrorCode::kUsage, "--require-gpu-tee on and --allow-non-cc-gpu exclude each other");
  }
  if (options.receipts_survive == "power" && options.receipts == "memory") {
    return nothing("--receipts-survive power", "receipts are kept in memory");
  }
  if (!options.receipt_file.empty() && options.receipts != "sqlite")
    return nothing("--receipt-file", "it is for --receipts sqlite");
  if (!options.receipt_postgres_file.empty() && options.receipts != "postgres") {
    return nothing("--receipt-postgres-file", "it is for --receipts postgres");
  }
  if (!options.tls_names.empty() && options.tls.empty() && options.tls_certificate_file.empty()) {
    return nothing("--tls-name", "the node would speak plain HTTP without --tls or --tls-cert");
  }
  if (!options.tls_request_file.empty() && options.tls != "tee-key")
    return nothing("--tls-csr", "it is for --tls tee-key");
  if (!options.model_path.empty() && engine == "echo") return nothing("--model", "the echo engine has no model");
  const bool echo_words =
      options.echo_first_token_ms != 0 || options.echo_token_gap_ms != 0 || options.echo_tokens != 0;
  if (echo_words && engine != "echo") return nothing("--echo-...", "it is for --engine echo");
  if (!options.nvml_library.empty() && (options.gpu == "insecure-simulator" || options.gpu == "none")) {
    return nothing("--nvml-library", "no GPU of this machine is asked for evidence");
  }
  return {};
}

Result<void> check_model(const ServeOptions& options) {
  if (engine_kind(options) != "llama" || !options.model_path.empty()) return {};
  return fail(ErrorCode::kUsage, "--model is required: the GGUF file to serve");
}

}  // namespace cloister::config
