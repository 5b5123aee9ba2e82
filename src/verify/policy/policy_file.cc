#include "verify/policy/policy_file.h"

#include <algorithm>

#include "base/encoding.h"
#include "verify/nvidia/nras_keys.h"
#include "verify/policy/table_reader.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kLimit = 1 << 20;
const std::set<std::string> kTcbStatuses = {
    "UpToDate",        "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",       "OutOfDateConfigurationNeeded", "TDRelaunchAdvised", "TDRelaunchAdvisedConfigurationNeeded"};
const std::set<std::string> kArchitectures = {"HOPPER", "BLACKWELL", "RUBIN", "LS10"};
const std::set<std::string> kTeeKinds = {"tdx", "sev_snp"};

// Words that can never match would make a policy stricter than its author believes, or hide a typing error.
std::optional<Error> check_words(const std::string& key, const std::set<std::string>& words,
                                 const std::set<std::string>& allowed) {
  for (const std::string& word : words) {
    if (allowed.contains(word)) continue;
    std::string list;
    for (const std::string& one : allowed) list += (list.empty() ? "" : ", ") + one;
    return fail(ErrorCode::kUsage, "policy: " + key + " cannot hold \"" + word.substr(0, 64) + "\"; possible: " + list, key);
  }
  return std::nullopt;
}

std::optional<Error> read_tdx(const toml::table* table, TdxPolicy& out) {
  TableReader reader(table, "tdx");
  reader.read("accepted_tcb_statuses", out.accepted_tcb_statuses);
  reader.read("allowed_advisories", out.allowed_advisories);
  reader.read_time("min_tcb_date", out.min_tcb_date);
  reader.read("out_of_date_grace_days", out.out_of_date_grace_days);
  reader.read("min_evaluation_data_number", out.min_evaluation_data_number);
  reader.read("allow_sept_ve_disable_clear", out.allow_sept_ve_disable_clear);
  reader.read("allow_migratable", out.allow_migratable);
  reader.read("mr_service_td", 48, out.mr_service_td);
  reader.read("allow_perfmon", out.allow_perfmon);
  reader.read("xfam", 8, out.xfam);
  reader.read("mr_owner", 48, out.mr_owner);
  reader.read("mr_owner_config", 48, out.mr_owner_config);
  reader.read("platform_ids", 32, out.platform_ids);
  reader.read("fmspcs", 6, out.fmspcs);
  reader.read("td_attributes", 8, out.td_attributes);
  reader.read("mr_seam", 48, out.mr_seam);
  reader.read("mr_signer_seam", 48, out.mr_signer_seam);
  reader.read("seam_attributes", 8, out.seam_attributes);
  reader.read("mr_config_id", 48, out.mr_config_id);
  reader.read("qe_vendor_ids", 16, out.qe_vendor_ids);
  reader.read("min_tee_tcb_svn", 16, out.min_tee_tcb_svn);
  if (auto error = reader.error()) return error;
  return check_words("tdx.accepted_tcb_statuses", out.accepted_tcb_statuses, kTcbStatuses);
}

std::optional<Error> read_boot(const toml::table* table, BootPolicy& out) {
  TableReader reader(table, "boot");
  reader.read("mr_td", 48, out.mr_td);
  reader.read("rtmr0", 48, out.rtmr0);
  reader.read("rtmr1", 48, out.rtmr1);
  reader.read("rtmr2", 48, out.rtmr2);
  reader.read("rtmr3", 48, out.rtmr3);
  reader.read("os_image_hashes", 32, out.os_image_hashes);
  reader.read("compose_hashes", 32, out.compose_hashes);
  reader.read("app_ids", 20, out.app_ids);
  reader.read("key_providers", out.key_providers);
  reader.read("kms_root_keys", 33, out.kms_root_keys);
  reader.read("measurement_list_keys", out.measurement_list_keys);
  reader.read_time("min_measurement_list_issued", out.min_measurement_list_issued);
  reader.read("require_event_log", out.require_event_log);
  reader.read("allow_unset_mr_config_id", out.allow_unset_mr_config_id);
  reader.read("require_pinned_images", out.require_pinned_images);
  reader.read("allow_any_measurements", out.allow_any_measurements);
  return reader.error();
}

std::optional<Error> read_nvidia(const toml::table* table, NvidiaPolicy& out) {
  TableReader reader(table, "nvidia");
  auto required = static_cast<std::size_t>(out.required);
  reader.read_word("required", {"when_present", "always", "never"}, required);
  out.required = static_cast<GpuRequirement>(required);
  reader.read("gpu_count", out.gpu_count);
  reader.read("architectures", out.architectures);
  reader.read("min_driver_version", out.min_driver_version);
  reader.read("min_vbios_version", out.min_vbios_version);
  reader.read("allow_certificate_hold", out.allow_certificate_hold);
  reader.read("allow_expired_rim_signer", out.allow_expired_rim_signer);
  reader.read("require_revocation", out.require_revocation);
  reader.read("max_ocsp_age_hours", out.max_ocsp_age_hours);
  reader.read("require_fwid", out.require_fwid);
  reader.read("require_nras", out.require_nras);
  reader.read("nras_keys", out.nras_keys);
  auto nvlink = static_cast<std::size_t>(out.nvlink);
  reader.read_word("nvlink", {"any", "protected", "encrypted"}, nvlink);
  out.nvlink = static_cast<NvlinkRequirement>(nvlink);
  if (auto error = reader.error()) return error;
  for (const std::string& key : out.nras_keys) {
    if (const auto read = read_nras_key(key); !read) {
      return fail(ErrorCode::kUsage, "policy: nvidia.nras_keys: " + read.error().message, "nvidia.nras_keys");
    }
  }
  return check_words("nvidia.architectures", out.architectures, kArchitectures);
}

std::optional<Error> read_snp(const toml::table* table, SnpPolicy& out) {
  TableReader reader(table, "snp");
  reader.read("min_boot_loader", out.min_boot_loader);
  reader.read("min_tee", out.min_tee);
  reader.read("min_snp", out.min_snp);
  reader.read("min_microcode", out.min_microcode);
  reader.read("min_fmc", out.min_fmc);
  reader.read("vmpl", out.vmpl);
  reader.read("allow_smt", out.allow_smt);
  reader.read("allow_migration_agent", out.allow_migration_agent);
  reader.read("require_single_socket", out.require_single_socket);
  reader.read("measurements", 48, out.measurements);
  reader.read("host_data", 32, out.host_data);
  reader.read("id_key_digests", 48, out.id_key_digests);
  reader.read("author_key_digests", 48, out.author_key_digests);
  reader.read("chip_ids", 64, out.chip_ids);
  return reader.error();
}

// "7:<64 hex>".
std::optional<Error> read_pcr(const std::string& word, TpmPolicy& out) {
  constexpr std::uint32_t kRegisters = 24;
  const std::size_t colon = word.find(':');
  const std::string index = word.substr(0, colon);
  const bool plain = colon != std::string::npos && !index.empty() && index.size() <= 2 &&
                     index.find_first_not_of("0123456789") == std::string::npos && (index.size() == 1 || index[0] != '0');
  const Result<Bytes> value = from_hex(colon == std::string::npos ? "" : word.substr(colon + 1));
  if (!plain || static_cast<std::uint32_t>(std::stoul(index)) >= kRegisters || !value || value->size() != 32) {
    return fail(ErrorCode::kUsage, "policy: tpm.pcrs cannot hold \"" + word.substr(0, 80) +
                                       "\"; expected the number of a register (0 to 23), a colon and 64 hex digits", "tpm.pcrs");
  }
  out.pcrs[static_cast<std::uint32_t>(std::stoul(index))].insert(*value);
  return std::nullopt;
}

std::optional<Error> read_tpm(const toml::table* table, TpmPolicy& out) {
  TableReader reader(table, "tpm");
  std::set<std::string> words;
  reader.read("pcrs", words);
  if (auto error = reader.error()) return error;
  for (const std::string& word : words) {
    if (auto error = read_pcr(word, out)) return error;
  }
  return std::nullopt;
}

std::optional<Error> read_service(const toml::table* table, ServicePolicy& out) {
  TableReader reader(table, "service");
  reader.read("accept_upstream_claims", out.accept_upstream_claims);
  reader.read("accept_unproven_custody", out.accept_unproven_custody);
  reader.read("accept_unproven_tls_keys", out.accept_unproven_tls_keys);
  reader.read("max_keyset_days", out.max_keyset_days);
  reader.read("model_digests", 32, out.model_digests);
  reader.read("policy_digests", 32, out.policy_digests);
  reader.read("upstreams", out.upstreams);
  reader.read("allow_shared_prompt_cache", out.allow_shared_prompt_cache);
  reader.read("allow_plain_http", out.allow_plain_http);
  return reader.error();
}

Result<Policy> read_policy(const toml::table& file) {
  Policy policy;
  TableReader reader(&file, "");
  reader.read("accept_simulator", policy.accept_simulator);
  reader.read("require_nonce", policy.require_nonce);
  reader.read("tee_kinds", policy.tee_kinds);
  reader.read("report_data", 64, policy.report_data);
  const toml::table* tdx = reader.table("tdx");
  const toml::table* boot = reader.table("boot");
  const toml::table* nvidia = reader.table("nvidia");
  const toml::table* snp = reader.table("snp");
  const toml::table* tpm = reader.table("tpm");
  const toml::table* service = reader.table("service");
  if (auto error = reader.error()) return std::move(*error);
  if (policy.tee_kinds) {
    if (auto error = check_words("tee_kinds", *policy.tee_kinds, kTeeKinds)) return std::move(*error);
  }
  if (auto error = read_tdx(tdx, policy.tdx)) return std::move(*error);
  if (auto error = read_boot(boot, policy.boot)) return std::move(*error);
  if (auto error = read_nvidia(nvidia, policy.nvidia)) return std::move(*error);
  if (auto error = read_snp(snp, policy.snp)) return std::move(*error);
  if (auto error = read_tpm(tpm, policy.tpm)) return std::move(*error);
  if (auto error = read_service(service, policy.service)) return std::move(*error);
  return policy;
}

}  // namespace

Result<Policy> parse_policy(std::string_view toml_text) {
  if (toml_text.size() > kLimit) return fail(ErrorCode::kTooLarge, "policy: more than 1 MiB");
  // The library's only way to tell of bad syntax.
  try {
    return read_policy(toml::parse(toml_text));
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kUsage, "policy: line " + std::to_string(error.source().begin.line) + ": " +
                                       std::string(error.description()));
  }
}

}  // namespace cloister::verify
