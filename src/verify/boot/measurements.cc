#include "verify/boot/measurements.h"

#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "verify/boot/measurement_list.h"
#include "verify/check.h"
#include "verify/expected_values.h"

namespace cloister::verify {
namespace {

constexpr const char* kListId = "boot.measurement_list";
constexpr const char* kId = "tdx.measurements";

struct Register {
  const char* name;
  const ByteArray<48>& value;
  const std::set<Bytes>& expected;
};

std::vector<Register> registers_of(const BootCase& boot) {
  return {{"mr_td", boot.report.mr_td, boot.policy.mr_td},
          {"rtmr0", boot.report.rtmr[0], boot.policy.rtmr0},
          {"rtmr1", boot.report.rtmr[1], boot.policy.rtmr1},
          {"rtmr2", boot.report.rtmr[2], boot.policy.rtmr2},
          {"rtmr3", boot.report.rtmr[3], boot.policy.rtmr3}};
}

// The name of an entry of which all values were measured.
std::optional<ExpectedBoot> matching_entry(const BootCase& boot, const MeasurementList& list) {
  std::map<std::string, std::string> actual;
  for (const Register& one : registers_of(boot)) actual[one.name] = to_hex(one.value);
  if (const auto hash = boot.log.payload("os-image-hash")) actual["os_image_hash"] = to_hex(*hash);
  if (const auto hash = boot.log.payload("compose-hash")) actual["compose_hash"] = to_hex(*hash);
  for (const ExpectedBoot& entry : list.entries) {
    bool all = true;
    for (const auto& [name, value] : entry.values) {
      const auto found = actual.find(name);
      all &= found != actual.end() && found->second == value;
    }
    if (all) return entry;
  }
  return std::nullopt;
}

// The list, when the policy names keys for one and the list is valid; adds boot.measurement_list.
std::optional<MeasurementList> open_list(const BootCase& boot, Verdict& verdict) {
  const Collateral& collateral = boot.context.collateral;
  if (boot.policy.measurement_list_keys.empty()) {
    verdict.add(not_applicable(kListId, "the policy names no key that may sign one"));
    return std::nullopt;
  }
  if (collateral.measurement_list.empty()) {
    verdict.add(skipped(kListId, "no measurement list was given, and the policy names a key for one"));
    return std::nullopt;
  }
  auto list = open_measurement_list(collateral.measurement_list, collateral.measurement_list_signature,
                                    boot.policy.measurement_list_keys, boot.context.time);
  if (!list) {
    verdict.add(failed(kListId, list.error().message));
    return std::nullopt;
  }
  if (boot.policy.min_measurement_list_issued && list->issued < *boot.policy.min_measurement_list_issued) {
    verdict.add(failed(kListId, "an old list",
                       "issued at or after " + to_rfc3339(*boot.policy.min_measurement_list_issued),
                       to_rfc3339(list->issued)));
    return std::nullopt;
  }
  verdict.add(passed(kListId, std::to_string(list->entries.size()) + " entries",
                     "issued " + to_rfc3339(list->issued) + ", good until " + to_rfc3339(list->expires)));
  return std::move(*list);
}

// The first register whose value differs from what the policy expects.
std::optional<Check> first_mismatch(const BootCase& boot) {
  for (const Register& one : registers_of(boot)) {
    if (one.expected.empty() || one.expected.contains(to_bytes(one.value))) continue;
    Check check = one_of(kId, one.expected, one.value);
    check.detail = std::string(one.name) + " is " + check.detail;
    return check;
  }
  return std::nullopt;
}

// What no expectation covers: firmware and system each, and whether any expectation names the application.
std::string left_open(const BootCase& boot, const std::optional<ExpectedBoot>& entry) {
  std::string out;
  for (const Register& one : registers_of(boot)) {
    if (std::string_view(one.name) == "rtmr3") continue;
    if (one.expected.empty() && !entry) out += (out.empty() ? "" : ", ") + std::string(one.name);
  }
  const bool application = !boot.policy.rtmr3.empty() || !boot.policy.compose_hashes.empty() ||
                           (entry && (entry->values.contains("rtmr3") || entry->values.contains("compose_hash")));
  if (!application) out += std::string(out.empty() ? "" : ", ") + "the application (compose hash or rtmr3)";
  return out;
}

Check check_registers(const BootCase& boot, const std::optional<MeasurementList>& list) {
  const bool any = boot.policy.allow_any_measurements;
  if (boot.policy.expects_nothing()) {
    if (boot.simulated) return not_applicable(kId, "the TEE is simulated, and the policy expects nothing of it");
    if (any) return not_applicable(kId, "the policy accepts any measurements: nothing shows which code runs there");
    return skipped(kId, "no expected measurements were given");
  }
  if (auto mismatch = first_mismatch(boot)) return *mismatch;
  std::optional<ExpectedBoot> entry;
  if (!boot.policy.measurement_list_keys.empty()) {
    if (!list) return skipped(kId, "the measurement list could not be used");
    entry = matching_entry(boot, *list);
    if (!entry) return failed(kId, "no entry of the measurement list holds these values");
  }
  const std::string open = left_open(boot, entry);
  const std::string matched = entry ? "as " + entry->name : "";
  if (open.empty()) return passed(kId, matched);
  // Whoever controls what is left open controls what the rest reports: a foreign kernel can log any compose hash.
  if (!any) return skipped(kId, "the policy expects nothing of: " + open);
  return passed(kId, matched, "the policy accepts any: " + open);
}

}  // namespace

void check_boot_measurements(const BootCase& boot, Verdict& verdict) {
  const auto list = open_list(boot, verdict);
  verdict.add(check_registers(boot, list));
}

}  // namespace cloister::verify
