#include "verify/simulator_check.h"

#include <string>

#include "base/encoding.h"
#include "evidence/simulator_roots.h"

namespace cloister::verify {

Check check_simulator(RootKind root, const Policy& policy) {
  const std::string id = "tee.simulator";
  switch (root) {
    case RootKind::kVendor: return passed(id, "not simulated");
    case RootKind::kUnknown: return skipped(id, "the quote ends in no known root");
    case RootKind::kInsecureSimulator: break;
  }
  if (policy.accept_simulator) {
    return passed(id, std::string(evidence::kSimulatorName), "simulated, and accepted by name");
  }
  return failed(id, "the TEE is simulated; only --accept-simulator accepts that", "a real TEE",
                std::string(evidence::kSimulatorName));
}

Check check_tee_kind(std::string_view kind, RootKind root, const Policy& policy) {
  const std::string id = "tee.kind";
  const std::string actual(kind);
  if (root == RootKind::kInsecureSimulator) return not_applicable(id, "the TEE is simulated: tee.simulator decides");
  if (!policy.tee_kinds) {
    if (kind == "tdx") return passed(id, actual);
    return skipped(id, "the policy names no kind of TEE and is therefore about TDX; this is " + actual);
  }
  if (policy.tee_kinds->contains(actual)) return passed(id, actual);
  std::string expected;
  for (const std::string& one : *policy.tee_kinds) expected += (expected.empty() ? "" : " or ") + one;
  return failed(id, "the policy is about other kinds of TEE", expected.empty() ? "none" : expected, actual);
}

Check check_named_report_data(const evidence::ReportData& report_data, const Policy& policy) {
  const std::string id = "tee.report_data";
  if (policy.report_data.empty()) return not_applicable(id, "the policy names none");
  const std::string actual = to_hex(report_data);
  if (policy.report_data.contains(to_bytes(report_data))) return passed(id, actual);
  std::string expected;
  for (const Bytes& one : policy.report_data) expected += (expected.empty() ? "" : " or ") + to_hex(one);
  return failed(id, "not one that the policy names", expected.substr(0, 1024), actual);
}

bool says_simulated(const Json& facts) {
  if (!facts.is_structured()) return false;
  if (facts.is_object() && facts.value("tee_type", Json()) == evidence::kSimulatorName) return true;
  for (const Json& part : facts) {
    if (says_simulated(part)) return true;
  }
  return false;
}

std::string_view tee_type_of(RootKind root) {
  switch (root) {
    case RootKind::kVendor: return "tdx";
    case RootKind::kInsecureSimulator: return evidence::kSimulatorName;
    case RootKind::kUnknown: return "unknown";
  }
  return "unknown";
}

}  // namespace cloister::verify
