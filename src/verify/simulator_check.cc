#include "verify/simulator_check.h"

#include <string>

#include "evidence/simulator_roots.h"

namespace cloister::verify {

Check check_simulator(RootKind root, const Policy& policy) {
  const std::string id = "tee.simulator";
  switch (root) {
    case RootKind::kVendor:
      return passed(id, "not simulated");
    case RootKind::kUnknown:
      return skipped(id, "the quote ends in no known root");
    case RootKind::kInsecureSimulator:
      break;
  }
  if (policy.accept_simulator) {
    return passed(id, std::string(evidence::kSimulatorName), "simulated, and accepted by name");
  }
  return failed(id, "the TEE is simulated; only --accept-simulator accepts that", "a real TEE",
                std::string(evidence::kSimulatorName));
}

std::string_view tee_type_of(RootKind root) {
  switch (root) {
    case RootKind::kVendor:
      return "tdx";
    case RootKind::kInsecureSimulator:
      return evidence::kSimulatorName;
    case RootKind::kUnknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace cloister::verify
