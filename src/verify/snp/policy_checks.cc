#include "verify/snp/policy_checks.h"

#include <set>

#include "base/encoding.h"
#include "verify/check.h"
#include "verify/expected_values.h"

namespace cloister::verify {
namespace {

using codec::SnpReport;
using codec::SnpTcb;

// AMD 56860, table 9.
constexpr int kSmtBit = 16, kAlwaysOneBit = 17, kMigrationAgentBit = 18, kDebugBit = 19, kSingleSocketBit = 20;
constexpr int kHighestKnownBit = 25;
constexpr std::uint64_t kSmtEnabled = 1;  // bit of the platform info

bool has_bit(std::uint64_t value, int bit) { return (value >> bit & 1) != 0; }

std::string hex_of(std::uint64_t value) {
  Bytes big_endian;
  for (int shift = 56; shift >= 0; shift -= 8) big_endian.push_back(static_cast<std::uint8_t>(value >> shift));
  return "0x" + to_hex(big_endian);
}

Check check_policy_form(std::uint64_t policy) {
  const std::string id = "snp.policy.form";
  if (!has_bit(policy, kAlwaysOneBit)) return failed(id, "bit 17 must be set", {}, hex_of(policy));
  if (policy >> (kHighestKnownBit + 1) != 0) return failed(id, "unknown bits are set", "bits 0 to 25", hex_of(policy));
  return passed(id, hex_of(policy));
}

// `bad` is the state of the guest policy that nobody may accept unless `allowed`.
Check check_bit(const char* id, bool bad, bool allowed, const std::string& what) {
  if (!bad) return passed(id);
  return allowed ? passed(id, what, "the policy allows it") : failed(id, what);
}

Check check_smt(const SnpReport& report, const SnpPolicy& policy) {
  const bool on = (report.platform_info & kSmtEnabled) != 0;
  const std::string state = on ? "on" : has_bit(report.policy, kSmtBit) ? "off now, allowed by the guest" : "off";
  if (policy.allow_smt) return passed("snp.policy.smt", state, "the policy allows it");
  if (!on && !has_bit(report.policy, kSmtBit)) return passed("snp.policy.smt", state);
  return failed("snp.policy.smt", "simultaneous multithreading is possible", "off", state);
}

Check check_single_socket(const SnpReport& report, const SnpPolicy& policy) {
  const std::string id = "snp.policy.single_socket";
  const bool single = has_bit(report.policy, kSingleSocketBit);
  if (!policy.require_single_socket) {
    return not_applicable(id, single ? "one socket" : "the policy does not ask for one socket");
  }
  return single ? passed(id) : failed(id, "the VM may run on several sockets");
}

Check check_vmpl(const SnpReport& report, const SnpPolicy& policy) {
  return compared("snp.vmpl", std::to_string(policy.vmpl), std::to_string(report.vmpl),
                  "the report comes from another privilege level");
}

// Compares every part by itself: a higher level of one part does not make up for another.
bool reaches(const SnpTcb& tcb, const SnpTcb& least) {
  return tcb.boot_loader >= least.boot_loader && tcb.tee >= least.tee && tcb.snp >= least.snp &&
         tcb.microcode >= least.microcode && tcb.fmc >= least.fmc;
}

// The minimum of each level; 0 for one that the policy does not name.
SnpTcb minimum_of(const SnpPolicy& policy, codec::SnpProduct product) {
  const bool turin = product == codec::SnpProduct::kTurin;
  return {policy.min_boot_loader.value_or(0), policy.min_tee.value_or(0), policy.min_snp.value_or(0),
          policy.min_microcode.value_or(0), turin ? policy.min_fmc.value_or(0) : std::uint8_t{0}};
}

// The keys that the policy lacks.
std::string unset_minimums(const SnpPolicy& policy, codec::SnpProduct product) {
  const std::pair<const char*, const std::optional<std::uint8_t>*> levels[] = {
      {"min_boot_loader", &policy.min_boot_loader},
      {"min_tee", &policy.min_tee},
      {"min_snp", &policy.min_snp},
      {"min_microcode", &policy.min_microcode},
      {"min_fmc", &policy.min_fmc}};
  std::string out;
  for (const auto& [name, value] : levels) {
    const bool counts = std::string_view(name) != "min_fmc" || product == codec::SnpProduct::kTurin;
    if (counts && !*value) out += (out.empty() ? "" : ", ") + std::string(name);
  }
  return out;
}

// The key is derived from the reported levels. The other levels must not be below the policy's minimum either, and the
// launch levels show which firmware started the VM.
Check check_minimum(const SnpReport& report, std::optional<codec::SnpProduct> product, const SnpPolicy& policy) {
  const std::string id = "snp.tcb.minimum";
  if (!product) return skipped(id, "which processor it is, and so the layout of its levels, is not known");
  const SnpTcb least = minimum_of(policy, *product);
  const std::pair<const char*, const ByteArray<8>*> levels[] = {{"reported", &report.reported_tcb},
                                                                {"current", &report.current_tcb},
                                                                {"committed", &report.committed_tcb},
                                                                {"launch", &report.launch_tcb}};
  for (const auto& [name, bytes] : levels) {
    const SnpTcb tcb = decode_snp_tcb(*bytes, *product);
    if (reaches(tcb, least)) continue;
    return failed(id, std::string("the ") + name + " patch levels are too low", "at least " + tcb_text(least),
                  tcb_text(tcb));
  }
  const std::string unset = unset_minimums(policy, *product);
  const std::string actual = tcb_text(decode_snp_tcb(report.reported_tcb, *product));
  if (!unset.empty()) return skipped(id, "the policy does not name " + unset + "; the report has " + actual);
  return passed(id, actual);
}

Check check_measurement(const SnpReport& report, const Policy& policy) {
  const std::string id = "snp.measurement";
  if (policy.snp.measurements.empty()) {
    if (policy.boot.allow_any_measurements) {
      return not_applicable(id, "the policy accepts any measurement: nothing shows which code runs there");
    }
    return skipped(id, "no expected measurement was given");
  }
  return one_of(id, policy.snp.measurements, report.measurement);
}

Check check_listed(const char* id, const std::set<Bytes>& expected, ByteView value) {
  if (expected.empty()) return not_applicable(id, "the policy expects none: " + to_hex(value));
  return one_of(id, expected, value);
}

}  // namespace

std::string tcb_text(const SnpTcb& tcb) {
  return "boot loader " + std::to_string(tcb.boot_loader) + ", TEE " + std::to_string(tcb.tee) + ", SNP " +
         std::to_string(tcb.snp) + ", microcode " + std::to_string(tcb.microcode) + ", FMC " + std::to_string(tcb.fmc);
}

void check_snp_policy(const SnpReport& report, std::optional<codec::SnpProduct> product, const Policy& policy,
                      Verdict& verdict) {
  verdict.add(check_policy_form(report.policy));
  verdict.add(check_bit("snp.policy.debug", has_bit(report.policy, kDebugBit), false, "the VM is a debug VM"));
  verdict.add(check_bit("snp.policy.migration_agent", has_bit(report.policy, kMigrationAgentBit),
                        policy.snp.allow_migration_agent, "a migration agent may be associated with the VM"));
  verdict.add(check_smt(report, policy.snp));
  verdict.add(check_single_socket(report, policy.snp));
  verdict.add(check_vmpl(report, policy.snp));
  verdict.add(check_minimum(report, product, policy.snp));
  verdict.add(check_measurement(report, policy));
  verdict.add(check_listed("snp.host_data", policy.snp.host_data, report.host_data));
  verdict.add(check_listed("snp.id_key_digest", policy.snp.id_key_digests, report.id_key_digest));
  verdict.add(check_listed("snp.author_key_digest", policy.snp.author_key_digests, report.author_key_digest));
  verdict.add(check_listed("snp.platform", policy.snp.chip_ids, report.chip_id));
}

void skip_snp_policy(const std::string& reason, Verdict& verdict) {
  skip_all(verdict,
           {"snp.policy.form", "snp.policy.debug", "snp.policy.migration_agent", "snp.policy.smt",
            "snp.policy.single_socket", "snp.vmpl", "snp.tcb.minimum", "snp.measurement", "snp.host_data",
            "snp.id_key_digest", "snp.author_key_digest", "snp.platform"},
           reason);
}

}  // namespace cloister::verify
