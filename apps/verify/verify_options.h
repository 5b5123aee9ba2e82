// The options of `cloister verify` and what they load.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/client_options.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "verify/context.h"

namespace cloister::apps {

// Which policy and which collateral; shared with `cloister chat`.
struct JudgeOptions : OutputOptions {
  std::string policy_file;
  std::string model_manifest_file;
  std::vector<std::string> collateral_files;
  std::string rim_dir;
  std::string at;
  bool offline = false;
  std::string cache_dir;
  bool no_cache = false;
  std::string tcb_update = "standard";
  std::string pccs, rim_service, ocsp_service, nras_service, kds_service, ca_file;
};

struct VerifyOptions : JudgeOptions {
  ClientOptions client;
  std::string target;                                 // URL or file
  std::string save, bundle, nonce;
  std::string request_file, response_file, address;   // of a bare signature or receipt
  std::string chain_file;                             // of a bare GPU report
  std::string report_file, keyset_file, session_file, prefix_proof_file; // of a receipt
  std::string report_data;                            // of a quote or an SNP report
  // What stands beside a bare quote.
  std::string event_log_file, ccel_file, app_compose_file, vm_config_file;
  std::string receipt_file;                           // that names a session
  std::string instances_file;                         // keys of the instances in a report of Chutes
  std::string id, model;                              // of a reply or a session, as others name it
  bool beginning = false;                             // a file's proof of a beginning is asked for
  std::string archive;                                // to write, of a receipt
};

// `fetches`: the command may ask the makers' services.
void bind_judge_options(CLI::App& command, JudgeOptions& options, bool fetches);

// What a verdict is judged with.
struct Judging {
  verify::Policy policy;
  verify::Collateral collateral;
  UnixSeconds time = 0;

  verify::Context context() const { return {policy, collateral, time}; }
};

// Reads the files that the options name.
Result<Judging> load_judging(const JudgeOptions& options);
// 64 hex characters, or nothing when the option is empty.
Result<std::optional<ByteArray<32>>> read_nonce(const std::string& hex);
// The most bytes that a file of this kind, or beside one under this name, may have: what is larger is refused before it is
// parsed, for nothing that is accepted needs more.
std::size_t most_bytes_of(std::string_view name);
// The file, or standard input for "-", as one of this kind.
Result<std::string> read_input(const std::string& path, std::string_view name);

}  // namespace cloister::apps
