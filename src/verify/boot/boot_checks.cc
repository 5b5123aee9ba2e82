#include "verify/boot/boot_checks.h"

#include "verify/boot/boot_case.h"
#include "verify/boot/claims.h"
#include "verify/boot/identity.h"
#include "verify/boot/measurements.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kBootChecks[] = {
    "boot.event_log.form", "boot.rtmr0",        "boot.rtmr1",        "boot.rtmr2",         "boot.rtmr3",
    "boot.event.digests",  "boot.event.names",  "boot.events.order", "boot.events.unique", "boot.ccel.form",
    "boot.ccel.replay",    "boot.compose_hash", "boot.app_id",       "boot.instance_id",   "boot.os_image_hash",
    "boot.key_provider",   "boot.mr_config_id", "boot.tcb_info",     "boot.vm_config",     "boot.gpu_attestation",
    "boot.gpu_policy",     "boot.init_scripts", "boot.images",       "boot.kms_custody",   "boot.measurement_list",
    "tdx.measurements"};

// True when the policy expects something that only an event log can show.
bool needs_log(const BootPolicy& policy) {
  return policy.require_event_log || !policy.os_image_hashes.empty() || !policy.compose_hashes.empty() ||
         !policy.app_ids.empty() || !policy.key_providers.empty() || !policy.kms_root_keys.empty() ||
         policy.require_pinned_images;
}

}  // namespace

void check_boot(const evidence::BootEvidence& evidence, const codec::TdReport& report, RootKind root,
                const Context& context, Verdict& verdict) {
  const bool simulated = root == RootKind::kInsecureSimulator;
  BootPolicy policy = context.policy.boot;
  // Everything that the policy names is compared. What it leaves open does not matter where nothing is proven anyway.
  policy.allow_any_measurements |= simulated;
  BootCase boot{evidence, report, context, policy, simulated, {}};
  boot.log = check_boot_log(evidence, report, needs_log(policy), verdict);
  check_boot_identity(boot, verdict);
  check_boot_claims(boot, verdict);
  check_boot_measurements(boot, verdict);
}

void add_boot_without_registers(const Policy& policy, Verdict& verdict) {
  const std::string reason = "this kind of TEE has no registers that a log could be held against";
  if (needs_log(policy.boot)) return skip_boot(reason + ", and the policy expects what only a log shows", verdict);
  // A policy that names both kinds expects registers of one and [snp] measurements of the other.
  if (!policy.boot.expects_nothing() && !policy.tee_kinds) {
    return skip_boot(reason + ", and the policy expects values of registers", verdict);
  }
  for (const std::string_view id : kBootChecks) verdict.add(not_applicable(std::string(id), reason));
}

void skip_boot(const std::string& reason, Verdict& verdict) {
  for (const std::string_view id : kBootChecks) verdict.add(skipped(std::string(id), reason));
}

}  // namespace cloister::verify
