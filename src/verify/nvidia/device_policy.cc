#include "verify/nvidia/device_policy.h"

#include <charconv>

#include "base/encoding.h"
#include "verify/check.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/fwid.h"

namespace cloister::verify {
namespace {

// Drivers from version 550 on put the FWID into every report of a GPU.
constexpr int kFirstDriverWithFwid = 550;

int driver_major(const codec::SpdmReport& report) {
  const std::string version = driver_version(report);
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

Check check_least(const std::string& id, const std::string& least, const std::string& actual, int base,
                  const char* what) {
  const auto order = compare_versions(actual, least, base);
  if (!order) return failed(id, std::string("the ") + what + " or its least version is not a version", least, actual);
  if (*order == std::strong_ordering::less)
    return failed(id, std::string("the ") + what + " is too old", least, actual);
  return passed(id, actual);
}

}  // namespace

Check check_allowed_arch(const std::string& id, const std::string& arch, const NvidiaPolicy& policy) {
  if (arch.empty()) return skipped(id, "the architecture is not known");
  if (policy.architectures.contains(arch)) return passed(id, arch);
  std::string allowed;
  for (const std::string& one : policy.architectures) allowed += (allowed.empty() ? "" : ", ") + one;
  return failed(id, "the policy does not accept this architecture", allowed, arch);
}

Check check_fwid(const std::string& id, const std::string& arch, const codec::SpdmReport& report,
                 const crypto::Certificate& leaf, const NvidiaPolicy& policy) {
  const auto certified = read_fwid(leaf);
  if (!certified) return failed(id, certified.error().message);
  const auto reported = report.opaque.find(static_cast<std::uint16_t>(codec::OpaqueField::kFwid));
  if (reported == report.opaque.end()) {
    if (is_switch(arch)) return not_applicable(id, "switches report no firmware digest");
    const bool must_have = policy.require_fwid && driver_major(report) >= kFirstDriverWithFwid;
    if (must_have) return failed(id, "the report of this driver must hold a firmware digest");
    return skipped(id, "the report holds no firmware digest: it was not checked", false);
  }
  if (!*certified) return failed(id, "the report holds a firmware digest, the certificate none");
  return compared(id, to_hex(**certified), to_hex(reported->second),
                  "the firmware digest of the report is not the one in the certificate");
}

Check check_min_driver(const std::string& id, const std::string& arch, const codec::SpdmReport& report,
                       const NvidiaPolicy& policy) {
  if (policy.min_driver_version.empty()) return not_applicable(id, "the policy sets none");
  if (is_switch(arch)) return not_applicable(id, "a switch has no driver of its own");
  return check_least(id, policy.min_driver_version, driver_version(report), 10, "driver");
}

Check check_min_vbios(const std::string& id, const std::string& arch, const codec::SpdmReport& report,
                      const NvidiaPolicy& policy) {
  if (policy.min_vbios_version.empty()) return not_applicable(id, "the policy sets none");
  if (is_switch(arch)) return not_applicable(id, "the policy speaks of GPUs");
  return check_least(id, policy.min_vbios_version, vbios_version(report), 16, "VBIOS");
}

}  // namespace cloister::verify
