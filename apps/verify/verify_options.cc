#include "apps/verify/verify_options.h"

#include "apps/file_options.h"
#include "apps/output.h"
#include "apps/verify/shown_path.h"
#include "base/encoding.h"
#include "base/file.h"
#include "codec/json.h"
#include "collateral/rim_folder.h"
#include "verify/bundle.h"
#include "verify/policy/policy_file.h"
#include "verify/subject/input_forms.h"

namespace cloister::apps {
namespace {

constexpr std::size_t kFileLimit = 64u << 20;
constexpr std::size_t kPolicyLimit = 1u << 20;

Result<void> load_collateral(const std::string& path, verify::Collateral& out) {
  TRY(text, read_file(path, kFileLimit));
  Result<verify::Collateral> collateral = verify::parse_bundle(text);
  if (!collateral) return about(path, collateral.error());
  verify::add_collateral(out, std::move(*collateral));
  return {};
}

Result<evidence::ModelIdentity> read_manifest(const std::string& path) {
  TRY(text, read_file(path, kPolicyLimit));
  Result<Json> object = codec::parse_json(text);
  if (!object) return about(path, object.error());
  Result<evidence::ModelIdentity> manifest = evidence::parse_model_identity(*object);
  if (!manifest) return about(path, manifest.error());
  return manifest;
}

Result<void> load_rims(const std::string& folder, verify::Collateral& out) {
  TRY(read, collateral::read_rim_folder(folder));
  for (const std::string& problem : read.problems) complain("verify", problem);
  verify::Collateral more;
  more.rims = std::move(read.rims);
  verify::add_collateral(out, std::move(more));
  return {};
}

}  // namespace

void bind_judge_options(CLI::App& command, JudgeOptions& options, bool fetches) {
  bind_output_options(command, options);
  command.add_option("--policy", options.policy_file,
                     "what to accept, TOML; default: see cloister verify --default-policy");
  command.add_option(
      "--collateral", options.collateral_files,
      "a bundle, one platform's collateral as dcap-qvl saves it, or an AMD chip's certificates as PEM; may be repeated");
  command.add_option("--rim-dir", options.rim_dir, "folder of NVIDIA's reference manifests (*.swidtag, *.xml)");
  command.add_flag("--offline", options.offline,
                   "fetch nothing: checks that lack data are skipped, and the verdict is undetermined");
  if (!fetches) return;
  command.add_option("--cache", options.cache_dir, "folder of fetched collateral; default: $XDG_CACHE_HOME/cloister");
  command.add_flag("--no-cache", options.no_cache, "neither read nor write fetched collateral on disk");
  command
      .add_option("--tcb-update", options.tcb_update, "Intel's new TCB levels at once (early), or some months later")
      ->check(CLI::IsMember({"standard", "early"}))
      ->capture_default_str();
  command.add_option("--pccs", options.pccs, "ask this PCCS instead of Intel's service");
  command.add_option("--rim-service", options.rim_service, "instead of NVIDIA's RIM service");
  command.add_option("--ocsp-service", options.ocsp_service, "instead of NVIDIA's OCSP responder");
  command.add_option("--nras-service", options.nras_service, "instead of NVIDIA's remote attestation service");
  command.add_option("--kds-service", options.kds_service, "instead of AMD's key distribution service");
  command.add_option("--ca-file", options.ca_file, "further certificate authorities for these services, PEM");
}

Result<Judging> load_judging(const JudgeOptions& options) {
  Judging judging;
  TRY_VOID(check_can_read("--ca-file", options.ca_file));
  if (!options.policy_file.empty()) {
    TRY(text, read_file(options.policy_file, kPolicyLimit));
    Result<verify::Policy> policy = verify::parse_policy(text);
    if (!policy) return about(options.policy_file, policy.error());
    judging.policy = std::move(*policy);
  }
  judging.policy.accept_simulator |= options.accept_simulator;
  if (!options.model_manifest_file.empty()) {
    TRY(manifest, read_manifest(options.model_manifest_file));
    judging.policy.service.model_manifest = std::move(manifest);
  }
  for (const std::string& file : options.collateral_files) TRY_VOID(load_collateral(file, judging.collateral));
  if (!options.rim_dir.empty()) TRY_VOID(load_rims(options.rim_dir, judging.collateral));
  judging.time = system_clock().now();
  if (!options.at.empty()) {
    Result<UnixSeconds> time = from_rfc3339(options.at);
    if (!time) return fail(ErrorCode::kUsage, "--at: " + time.error().message);
    judging.time = *time;
  }
  return judging;
}

Result<std::optional<ByteArray<32>>> read_nonce(const std::string& hex) {
  if (hex.empty()) return std::optional<ByteArray<32>>();
  Result<ByteArray<32>> nonce = from_hex_exactly<32>(hex);
  if (!nonce) return fail(ErrorCode::kUsage, "--nonce: " + nonce.error().message);
  if (const auto filled = verify::check_filled(*nonce); !filled)
    return fail(ErrorCode::kUsage, "--nonce: " + filled.error().message);
  return std::optional<ByteArray<32>>(*nonce);
}

Result<std::string> read_input(const std::string& path, std::string_view name) {
  return read_file(path == "-" ? "/dev/stdin" : path, verify::most_bytes_of(name));
}

}  // namespace cloister::apps
