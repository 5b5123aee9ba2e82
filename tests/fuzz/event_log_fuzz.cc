// dstack event logs. An accepted log can be replayed and verified. No log is accepted under a policy without expected
// measurements.
#include "evidence/event_log.h"
#include "fuzz.h"
#include "verify/boot/boot_checks.h"
#include "verify/check_list.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto events = evidence::parse_event_log(as_text(input));
  if (events) {
    for (const evidence::LoggedEvent& event : *events) {
      FUZZ_CHECK(event.imr >= 0 && event.imr <= 3);
      FUZZ_CHECK(event.version == 1 || event.version == 2);
      FUZZ_CHECK(event.digest || event.is_runtime());
      FUZZ_CHECK(event.is_runtime() == (event.imr == evidence::kRuntimeRegister));
      (void)evidence::runtime_event_preimage(event);
    }
  }
  evidence::BootEvidence boot;
  boot.event_log = as_text(input);
  boot.app_compose = as_text(input);
  boot.vm_config = as_text(input);
  const verify::Policy policy;
  const verify::Collateral collateral;
  verify::Verdict verdict;
  verify::check_boot(boot, {}, verify::RootKind::kVendor, {policy, collateral, 1780272000}, verdict);
  FUZZ_CHECK(verdict.outcome() != verify::Outcome::kAccepted);
  FUZZ_CHECK((verdict.find("boot.event_log.form")->state == verify::State::kPass) == events.has_value());
  for (const verify::Check& check : verdict.checks) FUZZ_CHECK(verify::find_meaning(check.id) != nullptr);
}
