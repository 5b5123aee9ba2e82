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
  std::string target;  // URL or file
  std::string save, bundle, nonce;
  std::string request_file, response_file, address;                       // for a bare signature or receipt
  std::string chain_file;                                                 // for a bare GPU report
  std::string report_file, keyset_file, session_file, prefix_proof_file;  // for a receipt
  std::string report_data;                                                // for a quote or an SNP report
  // What is served next to a bare quote.
  std::string event_log_file, ccel_file, app_compose_file, vm_config_file;
  std::string receipt_file;    // the receipt that names a session
  std::string tls_key;         // of the connection that a report came through: SHA-256 of its SubjectPublicKeyInfo, hex
  bool as_document = false;    // a report is asked about that came through no connection
  std::string instances_file;  // keys of the instances in a report of Chutes
  std::string id, model;       // of a reply or a session, as others name it
  bool beginning = false;      // the proof of a beginning in a file is asked for
  std::string archive;         // to be written, for a receipt
};

// `fetches`: the command may ask the makers' services.
void bind_judge_options(CLI::App& command, JudgeOptions& options, bool fetches);

// What evidence is verified with.
struct Judging {
  verify::Policy policy;
  verify::Collateral collateral;
  UnixSeconds time = 0;

  verify::Context context() const { return {policy, collateral, time}; }
};

// Reads the files that the options name.
Result<Judging> load_judging(const JudgeOptions& options);
// 64 hex characters; absent when the option is empty.
Result<std::optional<ByteArray<32>>> read_nonce(const std::string& hex);
// Reads the file, or standard input for "-", as one of this kind: a file that is larger than any of its kind is refused
// before it is parsed (verify/subject/input_forms.h).
Result<std::string> read_input(const std::string& path, std::string_view name);

}  // namespace cloister::apps
