// The options of `cloister serve`, by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"

namespace cloister::apps {

struct ServeOptions {
  std::string listen = "127.0.0.1:8080";
  std::string engine;  // "" = upstream with --upstream, else llama when built in, else echo
  std::vector<std::string> upstreams;
  std::string upstream_key_file;
  int upstream_parallel = 256;
  int upstream_connect_timeout_s = 5;
  int upstream_timeout_s = 600;
  int upstream_idle_timeout_s = 120;
  std::string cache_salt = "auto";
  bool share_prompt_cache = false;
  std::string model_path;
  std::string model_id;
  std::string chat_template_file;  // "" = the model's own
  std::string lock_model = "auto";
  std::vector<std::string>
      known_answers;  // files; "none"; empty = MODEL.answers.json next to the model, where it exists
  int known_answers_every_s = 300;
  std::string upstream_model_files;  // file or folder; "" = none
  std::string tee = "auto";
  std::string tee_socket;  // "" = the known paths
  std::string tsm_root;    // "" = the kernel's
  std::string gpu = "auto";
  std::string nvml_library;  // "" = the system's
  std::string require_gpu_tee = "auto";
  bool allow_non_cc_gpu = false;
  int gpu_check_seconds = 300;
  std::string gpu_policy_file;
  std::string rim_dir;
  double report_rate = 60;  // reports with a nonce for each client and minute; 0 = no limit
  double report_burst = 60;
  double report_rate_local = 600;  // for all callers of this machine without a token
  std::vector<std::string> replicas;
  int keyset_days = 30;
  std::string serving = "auto";                          // "direct", "aggregator"
  std::string source_repo, source_commit, image_digest;  // "" = not stated
  std::string state_folder;
  std::string api_key_file;
  bool no_auth = false;
  std::string admin_token_file;
  std::vector<std::string> host_names;
  std::string tls;  // "", "self-signed", "tee-key"
  std::vector<std::string> tls_names;
  std::string tls_request_file;  // "" = in the state folder
  std::string tls_certificate_file;
  std::string tls_key_file;
  std::vector<std::string> cors_origins;
  int http_threads = 0;
  int parallel = 0;
  int context_tokens = 0;
  int threads = 0;
  int gpu_layers = -1;
  int echo_first_token_ms = 0;
  int echo_token_gap_ms = 0;
  int echo_tokens = 0;
  std::string signing = "on";
  std::string receipts = "sqlite";
  std::string receipt_file;  // "" = in the state folder
  std::string receipt_postgres_file;
  std::string receipts_survive = "kill";
  std::string on_store_failure = "refuse";
  std::string receipt_bytes = "4G";
  int receipt_key_epoch = 1;
  int receipt_days = 30;
  int prefix_proof_hours = 24;
  std::string log_level = "info";
  std::string log_format = "text";
  std::string config_file;  // the file that these options came from, "" when there was none
  int grace_seconds = 10;
  std::uint64_t max_body_bytes = 10u << 20;
};

// Where a node keeps what has to survive a restart, unless it is told otherwise.
std::string default_state_folder();

void bind_serve_options(CLI::App& command, ServeOptions& options);

struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
  bool loopback = false;
};
// "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080", "localhost:8080".
Result<ListenAddress> parse_listen(const std::string& text);

}  // namespace cloister::apps
