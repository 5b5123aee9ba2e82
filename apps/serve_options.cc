#include "apps/serve_options.h"

#include <cstdlib>

#include "apps/model_parts.h"
#include "apps/numbers.h"
#include "store/store_keys.h"

namespace cloister::apps {

std::string default_state_folder() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0') {
    return std::string(state) + "/cloister";
  }
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "") + "/.local/state/cloister";
}

namespace {

void bind_upstream_options(CLI::App& command, ServeOptions& o) {
  command.add_option(
      "--upstream", o.upstreams,
      "http://HOST:PORT, or unix:/PATH of a socket, of an OpenAI server of this host or a private network; again for "
      "more of them");
  command.add_option("--upstream-key-file", o.upstream_key_file, "bearer token for the upstreams, one line");
  command
      .add_option(
          "--upstream-parallel", o.upstream_parallel,
          "requests in progress at the same time, for each upstream; further requests wait, and callers take turns")
      ->check(whole_number_in(1, 65536))
      ->capture_default_str();
  command
      .add_option("--upstream-connect-timeout", o.upstream_connect_timeout_s,
                  "seconds until an upstream takes a connection")
      ->check(whole_number_in(1, 300))
      ->capture_default_str();
  command
      .add_option("--upstream-timeout", o.upstream_timeout_s,
                  "seconds until a reply begins; a reply that is not streamed begins when it is complete")
      ->check(whole_number_in(1, 86400))
      ->capture_default_str();
  command.add_option("--upstream-idle-timeout", o.upstream_idle_timeout_s, "seconds between two pieces of a reply")
      ->check(whole_number_in(1, 86400))
      ->capture_default_str();
  command.add_option("--upstream-model-files", o.upstream_model_files,
                     "file or folder of the model that the upstream has loaded: hashed into its identity");
  command
      .add_option(
          "--cache-salt", o.cache_salt,
          "upstream: keep a separate prefix cache for each credential; auto = where the upstream accepts a salt (vLLM)")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
}

void bind_gpu_options(CLI::App& command, ServeOptions& o) {
  command
      .add_option("--gpu", o.gpu,
                  "where GPU evidence comes from; auto: nvml in a real TEE with a GPU, otherwise the same as --tee")
      ->check(CLI::IsMember({"auto", "nvml", "none", "insecure-simulator"}))
      ->capture_default_str();
  command.add_option("--nvml-library", o.nvml_library, "path of libnvidia-ml.so.1; default: the system's");
  command
      .add_option("--require-gpu-tee", o.require_gpu_tee,
                  "take prompts only while every GPU is attested; auto: wherever the TEE is real and has a GPU")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
  command.add_flag("--allow-non-cc-gpu", o.allow_non_cc_gpu,
                   "same as --require-gpu-tee off: GPUs without protection may serve");
  command.add_option("--gpu-check-seconds", o.gpu_check_seconds, "how often the GPUs are checked")
      ->check(whole_number_in(1, 86400))
      ->capture_default_str();
  command.add_option("--gpu-policy", o.gpu_policy_file,
                     "policy that the GPUs must meet, TOML as for cloister verify --policy");
  command.add_option("--rim-dir", o.rim_dir, "folder of NVIDIA's manifests to compare the GPUs' measurements with");
}

void bind_report_options(CLI::App& command, ServeOptions& o) {
  command
      .add_option("--report-rate", o.report_rate,
                  "reports with a nonce that one client gets in a minute; 0 = any number")
      ->check(number_in(0.1, 1e6, Zero::kToo))
      ->capture_default_str();
  command
      .add_option("--report-burst", o.report_burst,
                  "how many of these reports at once, for a client that has not asked for some time")
      ->check(number_in(1, 1e6))
      ->capture_default_str();
  command
      .add_option(
          "--report-rate-local", o.report_rate_local,
          "reports with a nonce that all callers of this machine without a token get together in a minute, and at "
          "once; 0 = any number")
      ->check(number_in(0.1, 1e6, Zero::kToo))
      ->capture_default_str();
}

void bind_identity_options(CLI::App& command, ServeOptions& o) {
  command
      .add_option("--keyset-days", o.keyset_days,
                  "days that a keyset is valid; the next one is in use after half of them")
      ->check(whole_number_in(1, 365))
      ->capture_default_str();
  command.add_option(
      "--replica", o.replicas,
      "base URL of another node of this service; its report is listed next to this node's; again for more");
  command
      .add_option("--serving", o.serving,
                  "whether this TEE answers itself (direct) or passes requests on (aggregator); auto: direct, but for "
                  "upstreams on other addresses than loopback")
      ->check(CLI::IsMember({"auto", "direct", "aggregator"}))
      ->capture_default_str();
  o.source_repo = CLOISTER_SOURCE_REPO;
  command
      .add_option("--source-repo", o.source_repo, "URL of the source that runs here, for reports; it is not measured")
      ->capture_default_str();
  command.add_option("--source-commit", o.source_commit, "commit of that source");
  command.add_option("--image-digest", o.image_digest, "sha256:<hex> of the container image that runs here");
}

void bind_receipt_options(CLI::App& command, ServeOptions& o) {
  command.add_option("--signing", o.signing, "off only serves to measure the cost of signatures and receipts")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  command
      .add_option("--receipts", o.receipts,
                  "where receipts are stored: in a file, in a PostgreSQL that replicas share, or only in memory")
      ->check(CLI::IsMember({"sqlite", "postgres", "memory"}))
      ->capture_default_str();
  command.add_option("--receipt-file", o.receipt_file,
                     "SQLite file of the receipts; default: receipts.db in the state folder");
  command.add_option("--receipt-postgres-file", o.receipt_postgres_file,
                     "file that holds PostgreSQL's connection string, for --receipts postgres");
  command
      .add_option(
          "--receipts-survive", o.receipts_survive,
          "what a stored receipt survives: the end of this process (kill), or loss of power as well, for which each "
          "reply waits for the disk (power)")
      ->check(CLI::IsMember({"kill", "power"}))
      ->capture_default_str();
  command
      .add_option("--on-store-failure", o.on_store_failure,
                  "while receipts cannot be stored: take no prompts (refuse), or keep the newest in memory (serve)")
      ->check(CLI::IsMember({"refuse", "serve"}))
      ->capture_default_str();
  command.add_option("--receipt-days", o.receipt_days, "how long receipts are kept")
      ->check(whole_number_in(1, 36500))
      ->capture_default_str();
  command
      .add_option("--receipt-bytes", o.receipt_bytes,
                  "how much space receipts may take, such as 512M or 4G; the oldest are deleted first")
      ->check(size_in("16M", "1024T"))
      ->capture_default_str();
  command
      .add_option("--receipt-key-epoch", o.receipt_key_epoch,
                  "number of the TEE's key that encrypts receipts; receipts under smaller numbers can still be read")
      ->check(whole_number_in(1, store::StoreKeys::kMostEpochs))
      ->capture_default_str();
  command
      .add_option("--prefix-proof-hours", o.prefix_proof_hours,
                  "how long the first events of a stream can be proven; 0 = not at all")
      ->check(whole_number_in(0, 876000))
      ->capture_default_str();
}

}  // namespace

namespace {

std::string is_given(std::string& text) { return text.empty() ? "must not be empty" : ""; }

}  // namespace

void bind_serve_options(CLI::App& command, ServeOptions& o) {
  o.state_folder = default_state_folder();
  command.add_option("--listen", o.listen, "address and port; port 0 takes a free one")->capture_default_str();
  command
      .add_option(
          "--engine", o.engine,
          "the engine that computes replies: llama (llama.cpp in this process), upstream (another server) or echo (no model, for tests and benches); "
          "default: upstream with --upstream, else llama")
      ->check(CLI::IsMember({"llama", "upstream", "echo"}));
  bind_upstream_options(command, o);
  command.add_option("--model", o.model_path, "GGUF file to serve");
  bind_model_options(command, o);
  command.add_option(
      "--known-answers", o.known_answers,
      "answers that the model must give before it is served and from then on (cloister models manifest --known-answers); again "
      "for each model of the upstreams; none: no test. Default: MODEL.answers.json next to the file of --model, if that file exists");
  command
      .add_option("--known-answers-every", o.known_answers_every_s,
                  "seconds between two tests; longer where they would take more than 0.5 % of the time")
      ->check(whole_number_in(1, 86400))
      ->capture_default_str();
  command
      .add_option("--tee", o.tee,
                  "where quotes come from: a dstack guest agent, the kernel's configfs-tsm (TDX, SEV-SNP), its TDX "
                  "device; auto takes what this machine has")
      ->check(CLI::IsMember({"auto", "dstack", "tsm", "tdx-guest", "insecure-simulator", "none"}))
      ->capture_default_str();
  command.add_option("--tee-socket", o.tee_socket,
                     "socket of the dstack guest agent; default: the first of /var/run/dstack.sock, "
                     "/var/run/dstack/dstack.sock and the older tappd.sock of both folders");
  command.add_option("--tsm-root", o.tsm_root, "folder of configfs-tsm; default: /sys/kernel/config/tsm/report");
  bind_gpu_options(command, o);
  bind_report_options(command, o);
  bind_identity_options(command, o);
  command.add_option("--state", o.state_folder, "folder for the data that has to survive a restart")
      ->capture_default_str();
  command.add_option("--api-key-file", o.api_key_file, "bearer tokens, one a line");
  command.add_flag("--no-auth", o.no_auth, "serve all callers although the address is not loopback");
  command.add_option(
      "--admin-token-file", o.admin_token_file,
      "bearer tokens of the operator, one a line: for /metrics, which shows data of all tenants. Without one it is "
      "answered only by a node on the loopback that needs no tokens");
  command.add_option(
      "--host-name", o.host_names,
      "name by which callers may address a node on the loopback that needs no tokens, in addition to those of the "
      "loopback; again for more, * for any");
  command
      .add_option(
          "--tls", o.tls,
          "a key made in the TEE and bound in the report; self-signed: with a self-signed certificate; tee-key: with the "
          "certificate of --tls-cert, for which the node writes a request")
      ->check(CLI::IsMember({"self-signed", "tee-key"}));
  command.add_option("--tls-cert", o.tls_certificate_file, "PEM certificate chain, leaf first");
  command
      .add_option(
          "--tls-key", o.tls_key_file,
          "PEM private key for --tls-cert. Reports say that the key was given from outside: verifiers do not accept it as the TEE's")
      ->needs("--tls-cert");
  command.add_option("--tls-name", o.tls_names, "host name in the certificate of the TEE's own key; again for more");
  command.add_option("--tls-csr", o.tls_request_file,
                     "where --tls tee-key writes the request for a certificate; default: tls.csr in the state folder");
  command.add_option("--cors-origin", o.cors_origins,
                     "web origin that may call; * for all. Default: * with tokens, else pages of this machine");
  command.add_option("--http-threads", o.http_threads, "event loops; 0 = one for each four cores")
      ->check(whole_number_in(0, 256))
      ->capture_default_str();
  command.add_option("--echo-first-token-ms", o.echo_first_token_ms, "echo engine: delay of the first token")
      ->check(whole_number_in(0, 600000))
      ->capture_default_str();
  command.add_option("--echo-token-gap-ms", o.echo_token_gap_ms, "echo engine: gap between tokens")
      ->check(whole_number_in(0, 600000))
      ->capture_default_str();
  command.add_option("--echo-tokens", o.echo_tokens, "echo engine: tokens a reply has; 0 = as many as the prompt")
      ->check(whole_number_in(0, 1 << 20))
      ->capture_default_str();
  bind_receipt_options(command, o);
  command.add_option("--log-level", o.log_level, "the lowest level that is logged")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  command.add_option("--log-format", o.log_format, "text, or json: an object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command
      .add_option("--grace-seconds", o.grace_seconds,
                  "seconds that running replies may continue after the node is told to stop")
      ->check(whole_number_in(0, 3600))
      ->capture_default_str();
  command.add_option("--max-body", o.max_body_bytes, "largest request body in bytes")
      ->check(whole_number_in(1024, 1 << 30))
      ->capture_default_str();
  // An empty text would count as an option that was not given, and so leave out what the option protects.
  for (CLI::Option* option : command.get_options()) {
    if (option->get_items_expected_max() > 0) option->check(CLI::Validator(is_given, "", "not empty"));
  }
}

Result<ListenAddress> parse_listen(const std::string& text) {
  auto bad = [&] {
    return fail(ErrorCode::kUsage, "--listen wants ADDRESS:PORT, for example 127.0.0.1:8080, got '" + text + "'");
  };
  std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 >= text.size() || text.size() - colon > 6) return bad();
  ListenAddress out;
  out.address = text.substr(0, colon);
  if (out.address.size() > 2 && out.address.front() == '[' && out.address.back() == ']') {
    out.address = out.address.substr(1, out.address.size() - 2);
  } else if (out.address.find(':') != std::string::npos) {
    return bad();
  }
  std::string digits = text.substr(colon + 1);
  if (digits.find_first_not_of("0123456789") != std::string::npos || std::stoi(digits) > 65535) return bad();
  out.port = static_cast<std::uint16_t>(std::stoi(digits));
  if (out.address == "localhost") out.address = "127.0.0.1";
  if (out.address.empty()) return bad();
  out.loopback = out.address == "::1" || out.address.starts_with("127.");
  return out;
}

}  // namespace cloister::apps
