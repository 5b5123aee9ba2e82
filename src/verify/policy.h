// Policy: what a relying party accepts. The defaults are the safe ones: everything up to date, nothing in debug mode,
// nothing simulated, a fresh nonce. verify/policy/ reads a policy from TOML; docs/guide/policy.md explains each value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "evidence/model_identity.h"

namespace cloister::verify {

// Which Intel TDX platforms and TDs are accepted.
struct TdxPolicy {
  std::set<std::string> accepted_tcb_statuses = {"UpToDate"};  // Intel's status names; "Revoked" cannot be accepted
  // When set, every advisory of an accepted level must be one of these.
  std::optional<std::set<std::string>> allowed_advisories;
  std::optional<std::int64_t> min_tcb_date;      // seconds since 1970; the converged tcbDate must not be earlier
  std::uint32_t out_of_date_grace_days = 0;      // OutOfDate passes for this long after the level's tcbDate
  std::uint32_t min_evaluation_data_number = 0;  // for each of TCB info and QE identity
  bool allow_sept_ve_disable_clear = false;
  bool allow_migratable = false;  // MIGRATABLE, or a service TD whose MRSERVICETD is not listed below
  std::set<Bytes> mr_service_td;  // 48 bytes each
  bool allow_perfmon = false;
  std::set<Bytes> xfam;                       // 8 bytes each; empty = any without unknown bits
  std::set<Bytes> mr_owner, mr_owner_config;  // 48 bytes each; empty = zero
  std::set<Bytes> platform_ids;               // SHA-256 of the PPID; empty = any platform
  // Exact values, one of which the quote must have, as well as passing the checks that hold for every quote. Empty = any.
  std::set<Bytes> fmspcs;                   // 6 bytes each
  std::set<Bytes> td_attributes;            // 8 bytes each, as in the quote
  std::set<Bytes> mr_seam, mr_signer_seam;  // 48 bytes each: the TDX module and its signer
  std::set<Bytes> seam_attributes;          // 8 bytes each
  std::set<Bytes> mr_config_id;             // 48 bytes each
  std::set<Bytes> qe_vendor_ids;            // 16 bytes each
  // 16 bytes: each byte of TEE_TCB_SVN, and of TEE_TCB_SVN2 where there is one, must be at least the byte here.
  std::optional<Bytes> min_tee_tcb_svn;

  bool operator==(const TdxPolicy&) const = default;
};

// Which code the TD may run. An empty set says nothing about its register.
struct BootPolicy {
  std::set<Bytes> mr_td, rtmr0, rtmr1, rtmr2, rtmr3;  // 48 bytes each
  std::set<Bytes> os_image_hashes;                    // 32 bytes each
  std::set<Bytes> compose_hashes;                     // 32 bytes each
  std::set<Bytes> app_ids;                            // 20 bytes each
  std::set<std::string> key_providers;                // "kms:<hex public key>", "local-sgx:<hex MRENCLAVE>"
  std::set<Bytes> kms_root_keys;                      // secp256k1, 33 bytes compressed
  // Keys that may sign a list of expected measurements (docs/spec/measurement-list.md): "ed25519:<64 hex>", "p256:<128
  // hex of x || y>". With any, an entry of a list that they signed must match, as well as the sets above.
  std::set<std::string> measurement_list_keys;
  std::optional<std::int64_t> min_measurement_list_issued;  // seconds since 1970: older lists are refused
  bool require_event_log = false;                           // required even where no expectation above needs it
  bool allow_unset_mr_config_id = false;  // accept an MRCONFIGID of zeros although the log names a compose hash
  bool require_pinned_images = false;     // every image of the compose file has @sha256:
  // Without any expected measurement a genuine TEE may run anything: the check is then skipped and required, unless
  // this is set. The same holds where firmware and system (mr_td, rtmr0 to rtmr2) or the application (compose hash or
  // rtmr3) are left open: whoever controls what is left open controls what the rest reports.
  bool allow_any_measurements = false;

  bool operator==(const BootPolicy&) const = default;
  bool expects_nothing() const {
    return mr_td.empty() && rtmr0.empty() && rtmr1.empty() && rtmr2.empty() && rtmr3.empty() &&
           os_image_hashes.empty() && compose_hashes.empty() && app_ids.empty() && measurement_list_keys.empty();
  }
};

// kWhenPresent: GPU evidence in a report is verified, and none is required. kAlways: a report without it is rejected.
// kNever: GPU evidence is ignored, and no GPU is vouched for.
enum class GpuRequirement { kWhenPresent, kAlways, kNever };

// Which protection is demanded between GPUs. kAny: none. kProtected: encrypted NVLink, or protected PCIe mode with the
// switches attested, or one GPU alone in single passthrough. kEncrypted: encrypted NVLink, as each GPU itself reports.
enum class NvlinkRequirement { kAny, kProtected, kEncrypted };

// Which NVIDIA devices are accepted.
struct NvidiaPolicy {
  GpuRequirement required = GpuRequirement::kWhenPresent;
  std::optional<std::size_t> gpu_count;
  std::set<std::string> architectures = {"HOPPER", "BLACKWELL", "RUBIN", "LS10"};
  std::string min_driver_version;  // "550.90.07"; empty = any
  std::string min_vbios_version;   // "96.00.9F.00.00"; empty = any
  bool allow_certificate_hold = false;
  bool allow_expired_rim_signer = false;
  bool require_revocation = true;         // OCSP for every certificate except the root
  std::uint32_t max_ocsp_age_hours = 24;  // where a response has no nextUpdate, and for bundled responses
  bool require_fwid = true;               // from driver 550 on
  bool require_nras = false;              // a second opinion; the local appraisal is always made
  // Keys trusted to sign for NRAS, as well as fetched and certified ones: "p384:<192 hex of x || y>".
  std::set<std::string> nras_keys;
  NvlinkRequirement nvlink = NvlinkRequirement::kAny;

  bool operator==(const NvidiaPolicy&) const = default;
};

// Which AMD SEV-SNP platforms are accepted.
struct SnpPolicy {
  // The lowest patch levels that pass. One that is not set leaves snp.tcb.minimum skipped and required; 0 accepts any.
  // `min_fmc` counts on Turin alone.
  std::optional<std::uint8_t> min_boot_loader, min_tee, min_snp, min_microcode, min_fmc;
  std::uint32_t vmpl = 0;
  bool allow_smt = true;
  bool allow_migration_agent = false;
  bool require_single_socket = false;
  std::set<Bytes> measurements;  // 48 bytes each; empty = as in BootPolicy::allow_any_measurements
  std::set<Bytes> host_data;     // 32 bytes each; empty = any
  std::set<Bytes> id_key_digests, author_key_digests;  // 48 bytes each; empty = any
  std::set<Bytes> chip_ids;                            // 64 bytes each, as in the report; empty = any chip

  bool operator==(const SnpPolicy&) const = default;
};

// What a virtual TPM in a confidential VM must show (docs/spec/foreign-reports.md).
struct TpmPolicy {
  // Values of registers of the SHA-256 bank by their index, 0 to 23, 32 bytes each; a register must have one of its
  // values. No values at all: as in BootPolicy::allow_any_measurements.
  std::map<std::uint32_t, std::set<Bytes>> pcrs;

  bool operator==(const TpmPolicy&) const = default;
};

// What a service states about itself and others (ACI reports and receipts, Cloister's own report).
struct ServicePolicy {
  // Accepts a gateway's statement that it verified the server. Without it, such a report or receipt is undetermined at best.
  bool accept_upstream_claims = false;
  // Accepts keys that no key management service vouches for: the measured code states that it made them inside the TEE.
  bool accept_unproven_custody = false;
  // Accepts TLS keys that the operator brought, or whose origin nobody states: somebody outside may have them.
  bool accept_unproven_tls_keys = false;
  std::uint32_t max_keyset_days = 731;  // a keyset that stays valid for longer than this from now on is refused
  std::set<Bytes> model_digests;        // 32 bytes each; empty = any
  std::set<Bytes> policy_digests;       // 32 bytes each; empty = any
  // Requires a known-answer test (docs/spec/known-answers.md). A list of documents and an age below the default require it too.
  bool require_known_answers = false;
  std::uint32_t max_known_answers_age_minutes = 60;  // before the verdict; for a receipt, before the reply
  std::set<Bytes> known_answer_digests;              // 32 bytes each: digests of the documents that count; empty = any
  // What the policy document of a Cloister node may say (docs/spec/policy.md). A document whose digest is among
  // `policy_digests` is accepted in full.
  std::set<std::string> upstreams;  // places, as the document writes them: "http://private"
  // 32 bytes each: SHA-256 of files that a node may load as its GPU driver's library, beside the library that the measured system has.
  std::set<Bytes> gpu_libraries;
  // A legacy or ACI report that neither shows nor binds such a document: the service is another's, and has none.
  bool accept_no_node_policy = false;
  // Accepts a reply with only a signature, next to a report that shows a configuration: nobody says that it was in force.
  bool accept_unnamed_configuration = false;
  bool allow_shared_prompt_cache = false;  // of callers with each other, on a node that other machines reach
  bool allow_plain_http = false;           // without TLS of its own, on an address that other machines reach
  // What the model must be, member by member. Not part of a policy file: --model-manifest.
  std::optional<evidence::ModelIdentity> model_manifest = std::nullopt;

  bool operator==(const ServicePolicy&) const = default;
};

struct Policy {
  // Evidence of the simulated TEE fails unless this is set; the verdict says "insecure_simulator" in either case.
  bool accept_simulator = false;
  bool require_nonce = true;  // a nonce that the verifier made
  // The kinds of TEE that the policy is about: "tdx", "sev_snp". Evidence of another kind fails. When it is not set,
  // the policy is about TDX, and evidence of another kind is undetermined.
  std::optional<std::set<std::string>> tee_kinds;
  // 64 bytes each: the report data of the CPU's evidence must be one of them. Empty = any.
  std::set<Bytes> report_data;
  TdxPolicy tdx;
  BootPolicy boot;
  NvidiaPolicy nvidia;
  SnpPolicy snp;
  TpmPolicy tpm;
  ServicePolicy service;

  bool operator==(const Policy&) const = default;
};

}  // namespace cloister::verify
