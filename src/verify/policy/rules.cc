#include "verify/policy/rules.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "verify/check.h"
#include "verify/check_list.h"
#include "verify/model_manifest.h"

namespace cloister::verify {
namespace {

using Ids = std::array<std::string_view, 1>;

constexpr Ids kMeasurements = {"tdx.measurements"}, kMeasurementList = {"boot.measurement_list"};
constexpr Ids kSnpMinimum = {"snp.tcb.minimum"};
// Simulated evidence has no kind: either the person who asks accepts it by name, or tee.simulator fails.
constexpr std::array<std::string_view, 2> kTeeKind = {"tee.kind", "tee.simulator"};

// The only check of a rule.
template <const char* Id>
constexpr Ids kOnly = {std::string_view(Id)};

constexpr char kTcbStatus[] = "tdx.tcb.status", kAdvisories[] = "tdx.tcb.advisories", kTcbDate[] = "tdx.tcb.date",
               kEvaluation[] = "tdx.collateral.evaluation_data_number", kXfam[] = "tdx.xfam", kOwner[] = "tdx.mr_owner",
               kOwnerConfig[] = "tdx.mr_owner_config", kPlatform[] = "tdx.pck.platform",
               kOsImage[] = "boot.os_image_hash", kCompose[] = "boot.compose_hash", kAppId[] = "boot.app_id",
               kKeyProvider[] = "boot.key_provider", kCustody[] = "boot.kms_custody",
               kEventLog[] = "boot.event_log.form", kImages[] = "boot.images", kGpuRequired[] = "nvidia.required",
               kGpuCount[] = "nvidia.gpu_count", kArch[] = "nvidia.gpu.N.allowed_arch",
               kDriver[] = "nvidia.gpu.N.min_driver", kVbios[] = "nvidia.gpu.N.min_vbios",
               kRevocation[] = "nvidia.gpu.N.revocation.device", kNras[] = "nvidia.nras.result", kVmpl[] = "snp.vmpl",
               kSmt[] = "snp.policy.smt", kSocket[] = "snp.policy.single_socket", kSnpMeasurement[] = "snp.measurement",
               kHostData[] = "snp.host_data", kKeysetEnd[] = "keyset.not_after", kModelDigest[] = "report.model_digest",
               kPolicyDigest[] = "report.policy_digest", kReportData[] = "tee.report_data",
               kFmspc[] = "tdx.expected.fmspc", kTdAttributes[] = "tdx.expected.td_attributes",
               kSeamAttributes[] = "tdx.expected.seam_attributes", kMrSeam[] = "tdx.expected.mr_seam",
               kMrSignerSeam[] = "tdx.expected.mr_signer_seam", kMrConfigId[] = "tdx.expected.mr_config_id",
               kQeVendor[] = "tdx.expected.qe_vendor_id", kTcbSvn[] = "tdx.expected.tee_tcb_svn",
               kNvlink[] = "nvidia.nvlink", kIdKey[] = "snp.id_key_digest", kAuthorKey[] = "snp.author_key_digest",
               kChip[] = "snp.platform", kPcrs[] = "report.tpm_pcrs", kKnownAnswers[] = "model.known_answers";

bool judges_gpus(const Policy& policy) { return policy.nvidia.required != GpuRequirement::kNever; }

bool narrows_architectures(const Policy& policy) {
  const auto& all = NvidiaPolicy{}.architectures;
  return judges_gpus(policy) && !std::ranges::includes(policy.nvidia.architectures, all);
}

constexpr auto kTdx = RuleScope::kTdx;
constexpr auto kSnp = RuleScope::kSnp;

const PolicyRule kRules[] = {
    {"accept_simulator", nullptr},
    {"require_nonce", nullptr},
    {"tee_kinds", [](const Policy& p) { return p.tee_kinds.has_value(); }, kTeeKind},
    {"report_data", [](const Policy& p) { return !p.report_data.empty(); }, kOnly<kReportData>},
    {"tdx.accepted_tcb_statuses", [](const Policy& p) { return !p.tdx.accepted_tcb_statuses.contains("UpToDate"); },
     kOnly<kTcbStatus>, kTdx},
    {"tdx.allowed_advisories", [](const Policy& p) { return p.tdx.allowed_advisories.has_value(); }, kOnly<kAdvisories>,
     kTdx},
    {"tdx.min_tcb_date", [](const Policy& p) { return p.tdx.min_tcb_date.has_value(); }, kOnly<kTcbDate>, kTdx},
    {"tdx.out_of_date_grace_days", nullptr},
    {"tdx.min_evaluation_data_number", [](const Policy& p) { return p.tdx.min_evaluation_data_number > 0; },
     kOnly<kEvaluation>, kTdx},
    {"tdx.allow_sept_ve_disable_clear", nullptr},
    {"tdx.allow_migratable", nullptr},
    {"tdx.mr_service_td", nullptr},
    {"tdx.allow_perfmon", nullptr},
    {"tdx.xfam", [](const Policy& p) { return !p.tdx.xfam.empty(); }, kOnly<kXfam>, kTdx},
    {"tdx.mr_owner", [](const Policy& p) { return !p.tdx.mr_owner.empty(); }, kOnly<kOwner>, kTdx},
    {"tdx.mr_owner_config", [](const Policy& p) { return !p.tdx.mr_owner_config.empty(); }, kOnly<kOwnerConfig>, kTdx},
    {"tdx.platform_ids", [](const Policy& p) { return !p.tdx.platform_ids.empty(); }, kOnly<kPlatform>, kTdx},
    {"tdx.fmspcs", [](const Policy& p) { return !p.tdx.fmspcs.empty(); }, kOnly<kFmspc>, kTdx},
    {"tdx.td_attributes", [](const Policy& p) { return !p.tdx.td_attributes.empty(); }, kOnly<kTdAttributes>, kTdx},
    {"tdx.seam_attributes", [](const Policy& p) { return !p.tdx.seam_attributes.empty(); }, kOnly<kSeamAttributes>,
     kTdx},
    {"tdx.mr_seam", [](const Policy& p) { return !p.tdx.mr_seam.empty(); }, kOnly<kMrSeam>, kTdx},
    {"tdx.mr_signer_seam", [](const Policy& p) { return !p.tdx.mr_signer_seam.empty(); }, kOnly<kMrSignerSeam>, kTdx},
    {"tdx.mr_config_id", [](const Policy& p) { return !p.tdx.mr_config_id.empty(); }, kOnly<kMrConfigId>, kTdx},
    {"tdx.qe_vendor_ids", [](const Policy& p) { return !p.tdx.qe_vendor_ids.empty(); }, kOnly<kQeVendor>, kTdx},
    {"tdx.min_tee_tcb_svn", [](const Policy& p) { return p.tdx.min_tee_tcb_svn.has_value(); }, kOnly<kTcbSvn>, kTdx},
    {"boot.mr_td", [](const Policy& p) { return !p.boot.mr_td.empty(); }, kMeasurements},
    {"boot.rtmr0", [](const Policy& p) { return !p.boot.rtmr0.empty(); }, kMeasurements},
    {"boot.rtmr1", [](const Policy& p) { return !p.boot.rtmr1.empty(); }, kMeasurements},
    {"boot.rtmr2", [](const Policy& p) { return !p.boot.rtmr2.empty(); }, kMeasurements},
    {"boot.rtmr3", [](const Policy& p) { return !p.boot.rtmr3.empty(); }, kMeasurements},
    {"boot.os_image_hashes", [](const Policy& p) { return !p.boot.os_image_hashes.empty(); }, kOnly<kOsImage>},
    {"boot.compose_hashes", [](const Policy& p) { return !p.boot.compose_hashes.empty(); }, kOnly<kCompose>},
    {"boot.app_ids", [](const Policy& p) { return !p.boot.app_ids.empty(); }, kOnly<kAppId>},
    {"boot.key_providers", [](const Policy& p) { return !p.boot.key_providers.empty(); }, kOnly<kKeyProvider>},
    {"boot.kms_root_keys", [](const Policy& p) { return !p.boot.kms_root_keys.empty(); }, kOnly<kCustody>},
    {"boot.measurement_list_keys", [](const Policy& p) { return !p.boot.measurement_list_keys.empty(); },
     kMeasurementList},
    {"boot.min_measurement_list_issued", [](const Policy& p) { return p.boot.min_measurement_list_issued.has_value(); },
     kMeasurementList},
    {"boot.require_event_log", [](const Policy& p) { return p.boot.require_event_log; }, kOnly<kEventLog>},
    {"boot.allow_unset_mr_config_id", nullptr},
    {"boot.require_pinned_images", [](const Policy& p) { return p.boot.require_pinned_images; }, kOnly<kImages>},
    {"boot.allow_any_measurements", nullptr},
    {"nvidia.required", [](const Policy& p) { return p.nvidia.required == GpuRequirement::kAlways; },
     kOnly<kGpuRequired>},
    {"nvidia.gpu_count", [](const Policy& p) { return judges_gpus(p) && p.nvidia.gpu_count.has_value(); },
     kOnly<kGpuCount>},
    {"nvidia.architectures", narrows_architectures, kOnly<kArch>},
    {"nvidia.min_driver_version",
     [](const Policy& p) { return judges_gpus(p) && !p.nvidia.min_driver_version.empty(); }, kOnly<kDriver>},
    {"nvidia.min_vbios_version", [](const Policy& p) { return judges_gpus(p) && !p.nvidia.min_vbios_version.empty(); },
     kOnly<kVbios>},
    {"nvidia.allow_certificate_hold", nullptr},
    {"nvidia.allow_expired_rim_signer", nullptr},
    {"nvidia.require_revocation", nullptr},
    {"nvidia.max_ocsp_age_hours",
     [](const Policy& p) {
       return judges_gpus(p) && p.nvidia.require_revocation &&
              p.nvidia.max_ocsp_age_hours < NvidiaPolicy{}.max_ocsp_age_hours;
     },
     kOnly<kRevocation>},
    {"nvidia.require_fwid", nullptr},
    {"nvidia.require_nras", [](const Policy& p) { return judges_gpus(p) && p.nvidia.require_nras; }, kOnly<kNras>},
    {"nvidia.nras_keys", nullptr},
    {"nvidia.nvlink", [](const Policy& p) { return judges_gpus(p) && p.nvidia.nvlink != NvlinkRequirement::kAny; },
     kOnly<kNvlink>},
    {"snp.min_boot_loader", [](const Policy& p) { return p.snp.min_boot_loader.value_or(0) > 0; }, kSnpMinimum, kSnp},
    {"snp.min_tee", [](const Policy& p) { return p.snp.min_tee.value_or(0) > 0; }, kSnpMinimum, kSnp},
    {"snp.min_snp", [](const Policy& p) { return p.snp.min_snp.value_or(0) > 0; }, kSnpMinimum, kSnp},
    {"snp.min_microcode", [](const Policy& p) { return p.snp.min_microcode.value_or(0) > 0; }, kSnpMinimum, kSnp},
    {"snp.min_fmc", [](const Policy& p) { return p.snp.min_fmc.value_or(0) > 0; }, kSnpMinimum, kSnp},
    {"snp.vmpl", [](const Policy& p) { return p.snp.vmpl != 0; }, kOnly<kVmpl>, kSnp},
    {"snp.allow_smt", [](const Policy& p) { return !p.snp.allow_smt; }, kOnly<kSmt>, kSnp},
    {"snp.allow_migration_agent", nullptr},
    {"snp.require_single_socket", [](const Policy& p) { return p.snp.require_single_socket; }, kOnly<kSocket>, kSnp},
    {"snp.measurements", [](const Policy& p) { return !p.snp.measurements.empty(); }, kOnly<kSnpMeasurement>, kSnp},
    {"snp.host_data", [](const Policy& p) { return !p.snp.host_data.empty(); }, kOnly<kHostData>, kSnp},
    {"snp.id_key_digests", [](const Policy& p) { return !p.snp.id_key_digests.empty(); }, kOnly<kIdKey>, kSnp},
    {"snp.author_key_digests", [](const Policy& p) { return !p.snp.author_key_digests.empty(); }, kOnly<kAuthorKey>,
     kSnp},
    {"snp.chip_ids", [](const Policy& p) { return !p.snp.chip_ids.empty(); }, kOnly<kChip>, kSnp},
    {"tpm.pcrs", [](const Policy& p) { return !p.tpm.pcrs.empty(); }, kOnly<kPcrs>},
    {"service.accept_upstream_claims", nullptr},
    {"service.accept_unproven_custody", nullptr},
    {"service.accept_unproven_tls_keys", nullptr},
    {"service.max_keyset_days",
     [](const Policy& p) { return p.service.max_keyset_days < ServicePolicy{}.max_keyset_days; }, kOnly<kKeysetEnd>},
    {"service.model_digests", [](const Policy& p) { return !p.service.model_digests.empty(); }, kOnly<kModelDigest>},
    {"service.policy_digests", [](const Policy& p) { return !p.service.policy_digests.empty(); }, kOnly<kPolicyDigest>},
    {"service.require_known_answers", [](const Policy& p) { return p.service.require_known_answers; },
     kOnly<kKnownAnswers>},
    {"service.max_known_answers_age_minutes",
     [](const Policy& p) {
       return p.service.max_known_answers_age_minutes < ServicePolicy{}.max_known_answers_age_minutes;
     },
     kOnly<kKnownAnswers>},
    {"service.known_answer_digests", [](const Policy& p) { return !p.service.known_answer_digests.empty(); },
     kOnly<kKnownAnswers>},
    {"service.upstreams", nullptr},
    {"service.gpu_libraries", nullptr},
    {"service.accept_no_node_policy", nullptr},
    {"service.accept_unnamed_configuration", nullptr},
    {"service.allow_shared_prompt_cache", nullptr},
    {"service.allow_plain_http", nullptr},
};

// "instance.3." of "instance.3.tdx.measurements"; empty for a check of the whole. A form that is only a list of instances has its
// checks there. Other prefixes (a gateway's models, an upstream's) have verdicts of their own, with their own policy.applied.
std::string_view place_of(std::string_view id) {
  constexpr std::string_view kInstance = "instance.";
  if (!id.starts_with(kInstance)) return {};
  const std::size_t end = id.find('.', kInstance.size());
  return end == std::string_view::npos ? std::string_view() : id.substr(0, end + 1);
}

bool has(const Verdict& verdict, std::string_view id) {
  return std::ranges::any_of(verdict.checks, [id](const Check& check) {
    return std::string_view(check.id).substr(place_of(check.id).size()) == id;
  });
}

// True when the evidence is of the kind that the rule is about. Evidence of an unknown kind counts as such.
bool concerns(const PolicyRule& rule, const Verdict& verdict) {
  switch (rule.scope) {
    case RuleScope::kAny: return true;
    case RuleScope::kTdx: return has(verdict, "tdx.quote.form") || !has(verdict, "snp.report.form");
    case RuleScope::kSnp: return has(verdict, "snp.report.form") || !has(verdict, "tdx.quote.form");
  }
  return true;
}

bool decides(const Check& check) {
  return check.state == State::kPass || check.state == State::kFail ||
         (check.state == State::kSkipped && check.required);
}

// Applied by a check of the whole; for a list without evidence of its own, by a check of each instance.
bool is_applied(const PolicyRule& rule, const Verdict& verdict) {
  std::set<std::string_view> instances, decided;
  for (const Check& check : verdict.checks) {
    const std::string_view place = place_of(check.id);
    if (!place.empty()) instances.insert(place);
    if (!decides(check)) continue;
    const std::string pattern = check_pattern(std::string_view(check.id).substr(place.size()));
    if (std::ranges::find(rule.checks, pattern) != rule.checks.end()) decided.insert(place);
  }
  const bool is_list =
      !instances.empty() && verdict.find("tdx.quote.form") == nullptr && verdict.find("snp.report.form") == nullptr;
  return decided.contains("") || (is_list && decided == instances);
}

}  // namespace

std::span<const PolicyRule> policy_rules() { return kRules; }

void require_rules(const Policy& policy, Verdict& verdict) {
  const std::string id = "policy.applied";
  require_model(policy, verdict);
  std::string left_out;
  std::size_t count = 0;
  for (const PolicyRule& rule : kRules) {
    if (rule.demands == nullptr || !rule.demands(policy) || !concerns(rule, verdict)) continue;
    ++count;
    if (!is_applied(rule, verdict)) left_out += (left_out.empty() ? "" : ", ") + std::string(rule.name);
  }
  if (count == 0) return;
  if (left_out.empty()) {
    Check check = passed(id, std::to_string(count) + (count == 1 ? " rule" : " rules"));
    check.required = false;  // this check shows no evidence
    return verdict.add(std::move(check));
  }
  Check check =
      skipped(id, "nothing in this evidence, or in this form of it, can be compared with what the policy demands by: " +
                      left_out);
  check.expected = left_out;
  verdict.add(std::move(check));
}

}  // namespace cloister::verify
