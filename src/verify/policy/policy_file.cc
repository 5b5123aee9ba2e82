#include "verify/policy/policy_file.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "codec/tdx_quote.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/nras_keys.h"
#include "verify/policy/table_reader.h"
#include "verify/policy/toml_nesting.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kLimit = 1 << 20;
const std::set<std::string> kTcbStatuses = {"UpToDate",
                                            "SWHardeningNeeded",
                                            "ConfigurationNeeded",
                                            "ConfigurationAndSWHardeningNeeded",
                                            "OutOfDate",
                                            "OutOfDateConfigurationNeeded",
                                            "TDRelaunchAdvised",
                                            "TDRelaunchAdvisedConfigurationNeeded"};
constexpr std::size_t kMostGpus = 64;  // that evidence may be about (evidence/gpu_evidence.h)
const std::set<std::string> kArchitectures = {"HOPPER", "BLACKWELL", "RUBIN", "LS10"};
const std::set<std::string> kTeeKinds = {"tdx", "sev_snp"};

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// In the form in which verify/boot/key_provider.h writes what was measured.
constexpr const char* kKeyProviderForm = "texts like kms:<hex public key> or local-sgx:<hex MRENCLAVE>, in lower case";
bool is_key_provider(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string::npos || (text.size() - colon - 1) % 2 != 0) return false;
  const auto in_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  const std::string_view digits = std::string_view(text).substr(colon + 1);
  constexpr std::size_t kEnclaveDigits = 64, kLeastKeyDigits = 66;  // a compressed point is the shortest form of a key
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), in_name) &&
         is_lower_hex(digits) && (!text.starts_with("local-sgx:") || digits.size() == kEnclaveDigits) &&
         (!text.starts_with("kms:") || digits.size() >= kLeastKeyDigits);
}

// As policy documents write where an upstream is (docs/spec/policy.md).
constexpr const char* kPlaceForm = "places like http://private, http://NAME:PORT, https://NAME:PORT or unix:";
bool is_place(const std::string& text) {
  if (text == "unix:" || text == "http://localhost" || text == "http://private") return true;
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : std::string::npos;
  const std::size_t colon = text.rfind(':');
  if (scheme == std::string::npos || colon <= scheme || text.find_first_of("/?#@ ", scheme) != std::string::npos)
    return false;
  const std::string_view port = std::string_view(text).substr(colon + 1);
  return !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
}

constexpr const char* kRootKeyForm = "compressed points on secp256k1: 66 hex digits that begin with 02 or 03";
bool is_root_key(const std::string& text) {
  return text.size() == 66 && (text.starts_with("02") || text.starts_with("03")) && from_hex(text).has_value();
}

// A key of zeros is no key: every value of a policy that somebody meant to fill in and did not is refused where it can never match.
bool is_filled(ByteView value) {
  return std::ranges::any_of(value, [](std::uint8_t byte) { return byte != 0; });
}

constexpr const char* kListKeyForm = "texts like ed25519:<64 hex> or p256:<128 hex of x and y>, not of zeros";
bool is_list_key(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return false;
  const Result<Bytes> key = from_hex(std::string_view(text).substr(colon + 1));
  const std::string kind = text.substr(0, colon);
  return key && is_filled(*key) && ((kind == "ed25519" && key->size() == 32) || (kind == "p256" && key->size() == 64));
}

// Every other vendor fails tdx.quote.form.
constexpr const char* kVendorForm = "Intel's, the only vendor that is ever accepted: 939a7233f79c4ca9940a0db3957f0607";
bool is_intel_vendor(const std::string& text) {
  const Result<Bytes> id = from_hex(text);
  return id && equal(*id, codec::kIntelQeVendorId);
}

constexpr const char* kAdvisoryForm = "Intel's names of advisories, like INTEL-SA-00828";
bool is_advisory(const std::string& text) {
  const auto in_name = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; };
  return text.starts_with("INTEL-") && std::ranges::all_of(text, in_name);
}

bool is_nras_key(const std::string& text) {
  const Result<Bytes> key = read_nras_key(text);
  return key && is_filled(*key);
}
bool is_driver_version(const std::string& text) { return compare_versions(text, text, 10).has_value(); }
bool is_vbios_version(const std::string& text) { return compare_versions(text, text, 16).has_value(); }

std::optional<Error> read_tdx(const toml::table* table, TdxPolicy& out) {
  TableReader reader(table, "tdx");
  reader.read_some("accepted_tcb_statuses", kTcbStatuses, out.accepted_tcb_statuses);
  reader.read_each("allowed_advisories", is_advisory, kAdvisoryForm, out.allowed_advisories);
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
  std::set<std::string> vendors;
  reader.read_each("qe_vendor_ids", is_intel_vendor, kVendorForm, vendors);
  for (const std::string& vendor : vendors) out.qe_vendor_ids.insert(from_hex(vendor).value());
  reader.read("min_tee_tcb_svn", 16, out.min_tee_tcb_svn);
  return reader.error();
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
  reader.read_each("key_providers", is_key_provider, kKeyProviderForm, out.key_providers);
  std::set<std::string> root_keys;
  reader.read_each("kms_root_keys", is_root_key, kRootKeyForm, root_keys);
  for (const std::string& key : root_keys) out.kms_root_keys.insert(from_hex(key).value());
  reader.read_each("measurement_list_keys", is_list_key, kListKeyForm, out.measurement_list_keys);
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
  reader.read("gpu_count", out.gpu_count, 1, kMostGpus);
  reader.read_some("architectures", kArchitectures, out.architectures);
  reader.read_fitting("min_driver_version", is_driver_version, "a version like \"550.90.07\"", out.min_driver_version);
  reader.read_fitting("min_vbios_version", is_vbios_version, "a version like \"96.00.9F.00.00\"",
                      out.min_vbios_version);
  reader.read("allow_certificate_hold", out.allow_certificate_hold);
  reader.read("allow_expired_rim_signer", out.allow_expired_rim_signer);
  reader.read("require_revocation", out.require_revocation);
  reader.read("max_ocsp_age_hours", out.max_ocsp_age_hours);
  reader.read("require_fwid", out.require_fwid);
  reader.read("require_nras", out.require_nras);
  reader.read_each("nras_keys", is_nras_key, "texts like p384:<192 hex of x and y>, not of zeros", out.nras_keys);
  auto nvlink = static_cast<std::size_t>(out.nvlink);
  reader.read_word("nvlink", {"any", "protected", "encrypted"}, nvlink);
  out.nvlink = static_cast<NvlinkRequirement>(nvlink);
  if (auto error = reader.error()) return error;
  if (out.required != GpuRequirement::kNever || (!out.gpu_count && !out.require_nras)) return std::nullopt;
  const std::string key = out.gpu_count ? "nvidia.gpu_count" : "nvidia.require_nras";
  return fail(ErrorCode::kUsage, "policy: " + key + " demands GPUs, and nvidia.required = \"never\" leaves them out",
              key);
}

std::optional<Error> read_snp(const toml::table* table, SnpPolicy& out) {
  TableReader reader(table, "snp");
  reader.read("min_boot_loader", out.min_boot_loader);
  reader.read("min_tee", out.min_tee);
  reader.read("min_snp", out.min_snp);
  reader.read("min_microcode", out.min_microcode);
  reader.read("min_fmc", out.min_fmc);
  reader.read("vmpl", out.vmpl, 3);  // there are four (SEV-SNP Firmware ABI, table 23)
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
                     index.find_first_not_of("0123456789") == std::string::npos &&
                     (index.size() == 1 || index[0] != '0');
  const Result<Bytes> value = from_hex(colon == std::string::npos ? "" : word.substr(colon + 1));
  if (!plain || static_cast<std::uint32_t>(std::stoul(index)) >= kRegisters || !value || value->size() != 32) {
    return fail(ErrorCode::kUsage,
                "policy: tpm.pcrs cannot hold \"" + word.substr(0, 80) +
                    "\"; expected the number of a register (0 to 23), a colon and 64 hex digits",
                "tpm.pcrs");
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
  reader.read_from_one("max_keyset_days", out.max_keyset_days);
  reader.read("model_digests", 32, out.model_digests);
  reader.read("policy_digests", 32, out.policy_digests);
  reader.read("require_known_answers", out.require_known_answers);
  reader.read("max_known_answers_age_minutes", out.max_known_answers_age_minutes);
  reader.read("known_answer_digests", 32, out.known_answer_digests);
  reader.read_each("upstreams", is_place, kPlaceForm, out.upstreams);
  reader.read("gpu_libraries", 32, out.gpu_libraries);
  reader.read("accept_no_node_policy", out.accept_no_node_policy);
  reader.read("accept_unnamed_configuration", out.accept_unnamed_configuration);
  reader.read("allow_shared_prompt_cache", out.allow_shared_prompt_cache);
  reader.read("allow_plain_http", out.allow_plain_http);
  if (auto error = reader.error()) return error;
  for (const auto& [key, digests] : {std::pair("service.model_digests", &out.model_digests),
                                     std::pair("service.policy_digests", &out.policy_digests),
                                     std::pair("service.known_answer_digests", &out.known_answer_digests),
                                     std::pair("service.gpu_libraries", &out.gpu_libraries)}) {
    if (!std::ranges::all_of(*digests, is_filled))
      return fail(ErrorCode::kUsage, std::string("policy: ") + key + " has a digest of zeros, which nothing has", key);
  }
  return std::nullopt;
}

// True when some key has a value. read_policy() has accepted the file, so tables hold no tables.
bool says_something(const toml::table& file) {
  return std::ranges::any_of(file, [](const auto& entry) {
    const toml::table* table = entry.second.as_table();
    return table == nullptr || !table->empty();
  });
}

Result<Policy> read_policy(const toml::table& file) {
  Policy policy;
  TableReader reader(&file, "");
  reader.read("accept_simulator", policy.accept_simulator);
  reader.read("require_nonce", policy.require_nonce);
  reader.read_some("tee_kinds", kTeeKinds, policy.tee_kinds);
  reader.read("report_data", 64, policy.report_data);
  if (!std::ranges::all_of(policy.report_data, is_filled)) {
    return fail(ErrorCode::kUsage,
                "policy: report_data cannot be zeros alone: nobody made such a value for this evidence", "report_data");
  }
  const toml::table* tdx = reader.table("tdx");
  const toml::table* boot = reader.table("boot");
  const toml::table* nvidia = reader.table("nvidia");
  const toml::table* snp = reader.table("snp");
  const toml::table* tpm = reader.table("tpm");
  const toml::table* service = reader.table("service");
  if (auto error = reader.error()) return std::move(*error);
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
  if (const auto line = find_deep_line(toml_text)) {
    return fail(ErrorCode::kUsage, "policy: line " + std::to_string(*line) + ": more than " +
                                       std::to_string(kMostTomlLevels) + " levels of tables and lists");
  }
  // The library reports bad syntax only by an exception.
  try {
    const toml::table file = toml::parse(toml_text);
    TRY(policy, read_policy(file));
    if (!says_something(file)) {
      return fail(ErrorCode::kUsage, "policy: it sets nothing; for the default policy, give none, or a copy of it");
    }
    return policy;
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kUsage,
                "policy: line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
}

}  // namespace cloister::verify
