#include "verify/tdx/td_checks.h"

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

// Intel TDX Module ABI Specification, TDATTRIBUTES.
struct Attribute {
  unsigned bit;
  std::string_view name;
};
constexpr unsigned kSeptVeDisable = 28, kMigratable = 29, kPerfmon = 63;
constexpr std::array<Attribute, 8> kAttributes = {{{0, "DEBUG"},
                                                   {27, "LASS"},
                                                   {kSeptVeDisable, "SEPT_VE_DISABLE"},
                                                   {kMigratable, "MIGRATABLE"},
                                                   {30, "PKS"},
                                                   {31, "KL"},
                                                   {62, "TPA"},
                                                   {kPerfmon, "PERFMON"}}};
// Bits 1 to 7 are reserved for modes like DEBUG.
constexpr std::uint64_t kDebugGroup = 0xff;
// XFAM: x87 and SSE are always set; kXfamKnown is what else a TD may have (TDX module, XFAM_FIXED1 and XFAM_FIXED0).
constexpr std::uint64_t kXfamAlways = 0x3;
constexpr std::uint64_t kXfamKnown = 0x6dbe7;

std::uint64_t to_integer(const ByteArray<8>& bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) out = out << 8 | bytes[i];
  return out;
}

bool has(std::uint64_t bits, unsigned bit) { return (bits >> bit & 1) != 0; }

std::uint64_t known_attributes() {
  std::uint64_t out = kDebugGroup;  // which has a check of its own
  for (const Attribute& attribute : kAttributes) out |= std::uint64_t{1} << attribute.bit;
  return out;
}

template <std::size_t N>
bool contains(const std::set<Bytes>& set, const ByteArray<N>& value) {
  return set.contains(Bytes(value.begin(), value.end()));
}

Check check_debug(const ByteArray<8>& attributes) {
  const std::string id = "tdx.td_attributes.debug";
  if ((to_integer(attributes) & kDebugGroup) == 0) return passed(id, to_hex(attributes));
  return failed(id, "the VM is a debug VM", "bits 0 to 7 clear", to_hex(attributes));
}

Check check_reserved(const ByteArray<8>& attributes) {
  const std::string id = "tdx.td_attributes.reserved";
  if ((to_integer(attributes) & ~known_attributes()) == 0) return passed(id, to_hex(attributes));
  return failed(id, "a bit is set whose meaning is not known", "reserved bits clear", to_hex(attributes));
}

// Without it the host can remove memory from the VM and make the VM handle the exception.
Check check_sept_ve_disable(std::uint64_t bits, const TdxPolicy& policy) {
  const std::string id = "tdx.td_attributes.sept_ve_disable";
  if (has(bits, kSeptVeDisable)) return passed(id, "set");
  if (policy.allow_sept_ve_disable_clear) return passed(id, "clear", "allowed by the policy");
  return failed(id, "the host may inject exceptions by taking memory away", "set", "clear");
}

bool service_td_is_listed(const codec::TdReport& report, const TdxPolicy& policy) {
  return report.mr_service_td && contains(policy.mr_service_td, *report.mr_service_td);
}

Check check_migratable(std::uint64_t bits, const codec::TdReport& report, const TdxPolicy& policy) {
  const std::string id = "tdx.td_attributes.migratable";
  if (!has(bits, kMigratable)) return passed(id, "clear");
  if (policy.allow_migratable) return passed(id, "set", "allowed by the policy");
  if (service_td_is_listed(report, policy)) return passed(id, "set", "the service TD is one that the policy names");
  return failed(id, "the VM can be moved to another host by a service TD that the policy does not name", "clear",
                "set");
}

Check check_service_td(const codec::TdReport& report, const TdxPolicy& policy) {
  const std::string id = "tdx.mr_service_td";
  if (!report.mr_service_td) return not_applicable(id, "a TD report 1.0 has no MRSERVICETD");
  const std::string actual = to_hex(*report.mr_service_td);
  if (*report.mr_service_td == ByteArray<48>{} || service_td_is_listed(report, policy)) return passed(id, actual);
  if (policy.allow_migratable) return passed(id, actual, "allowed by the policy");
  return failed(id, "a service TD has power over the VM, and the policy does not name it",
                policy.mr_service_td.empty() ? "zero" : "zero or one of the policy's", actual);
}

// Nested VMs share the measurements of the VM around them.
Check check_vm_id(const codec::TdReport& report) {
  const std::string id = "tdx.vm_id";
  if (!report.extension) return not_applicable(id, "only a TD report 1.5 Ex has a VMID");
  const std::string actual = std::to_string(report.extension->vm_id);
  if (report.extension->vm_id == 0) return passed(id, actual);
  return failed(id, "a nested VM asked for the report, and nothing measures what runs in it", "0", actual);
}

Check check_devices(const codec::TdReport& report) {
  const std::string id = "tdx.device_info";
  if (!report.extension) return not_applicable(id, "only a TD report 1.5 Ex has a DEVINFO");
  const std::string actual = to_hex(report.extension->device_info);
  if (report.extension->device_info == ByteArray<48>{}) return passed(id, actual);
  return failed(id, "devices have access to private memory, and nothing here verifies which", "zero", actual);
}

// Checks where the VM came from, and who may move it.
Check check_migration(const codec::TdReport& report, const TdxPolicy& policy) {
  const std::string id = "tdx.migration";
  if (!report.extension) return not_applicable(id, "only a TD report 1.5 Ex tells where the VM was built");
  const codec::TdReportExtension& it = *report.extension;
  const bool unset = it.initial_service_td_hash == ByteArray<48>{} &&
                     it.initial_service_td_attributes == ByteArray<8>{} && it.initial_cpu_svn == ByteArray<16>{} &&
                     it.initial_tee_tcb_svn == ByteArray<16>{} && it.initial_fmspc == ByteArray<12>{} &&
                     it.service_td_hash == ByteArray<48>{} && it.service_td_attributes == ByteArray<8>{};
  if (unset) return passed(id, "zero");
  if (policy.allow_migratable) return passed(id, "set", "allowed by the policy");
  if (service_td_is_listed(report, policy)) return passed(id, "set", "the service TD is one that the policy names");
  return failed(id, "the VM was built on a machine, or is bound to a service TD, that the policy does not name", "zero",
                "set");
}

Check check_perfmon(std::uint64_t bits, const TdxPolicy& policy) {
  const std::string id = "tdx.td_attributes.perfmon";
  if (!has(bits, kPerfmon)) return passed(id, "clear");
  if (policy.allow_perfmon) return passed(id, "set", "allowed by the policy");
  return failed(id, "the VM may use performance counters", "clear", "set");
}

Check check_xfam(const ByteArray<8>& xfam, const TdxPolicy& policy) {
  const std::string id = "tdx.xfam";
  const std::string actual = to_hex(xfam);
  const std::uint64_t bits = to_integer(xfam);
  if ((bits & kXfamAlways) != kXfamAlways) return failed(id, "x87 and SSE cannot be off", "bits 0 and 1 set", actual);
  if (!policy.xfam.empty()) {
    if (contains(policy.xfam, xfam)) return passed(id, actual);
    return failed(id, "none that the policy names", to_hex(*policy.xfam.begin()), actual);
  }
  if ((bits & ~kXfamKnown) == 0) return passed(id, actual);
  return failed(id, "a feature is on whose meaning is not known", "unknown bits clear", actual);
}

Check check_owner(std::string id, const ByteArray<48>& value, const std::set<Bytes>& allowed) {
  const std::string actual = to_hex(value);
  if (allowed.empty() ? value == ByteArray<48>{} : contains(allowed, value)) return passed(std::move(id), actual);
  return failed(std::move(id), "not what the policy takes", allowed.empty() ? "zero" : to_hex(*allowed.begin()),
                actual);
}

}  // namespace

void add_td_checks(const codec::TdReport& report, const TdxPolicy& policy, Verdict& verdict) {
  const std::uint64_t bits = to_integer(report.td_attributes);
  verdict.add(check_debug(report.td_attributes));
  verdict.add(check_reserved(report.td_attributes));
  verdict.add(check_sept_ve_disable(bits, policy));
  verdict.add(check_migratable(bits, report, policy));
  verdict.add(check_perfmon(bits, policy));
  verdict.add(check_xfam(report.xfam, policy));
  verdict.add(check_service_td(report, policy));
  verdict.add(check_vm_id(report));
  verdict.add(check_devices(report));
  verdict.add(check_migration(report, policy));
  verdict.add(check_owner("tdx.mr_owner", report.mr_owner, policy.mr_owner));
  verdict.add(check_owner("tdx.mr_owner_config", report.mr_owner_config, policy.mr_owner_config));
}

void skip_td_checks(const std::string& reason, Verdict& verdict) {
  skip_all(verdict,
           {"tdx.td_attributes.debug", "tdx.td_attributes.reserved", "tdx.td_attributes.sept_ve_disable",
            "tdx.td_attributes.migratable", "tdx.td_attributes.perfmon", "tdx.xfam", "tdx.mr_service_td", "tdx.vm_id",
            "tdx.device_info", "tdx.migration", "tdx.mr_owner", "tdx.mr_owner_config"},
           reason);
}

std::vector<std::string> td_attribute_names(const ByteArray<8>& td_attributes) {
  std::vector<std::string> out;
  for (const Attribute& attribute : kAttributes) {
    if (has(to_integer(td_attributes), attribute.bit)) out.emplace_back(attribute.name);
  }
  return out;
}

}  // namespace cloister::verify
