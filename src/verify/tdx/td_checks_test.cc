#include "verify/tdx/td_checks.h"

#include <gtest/gtest.h>

#include <functional>

#include "verify/testing/verdict_ids.h"

namespace cloister::verify {
namespace {

using testing::failing;
using testing::Ids;

codec::TdReport good_report() {
  codec::TdReport report;
  report.td_attributes = {0, 0, 0, 0x10};
  report.xfam = {0xe7, 0x02, 0x06};
  return report;
}

ByteArray<48> filled(std::uint8_t value) {
  ByteArray<48> out;
  out.fill(value);
  return out;
}

void set_bit(ByteArray<8>& bits, unsigned bit) {
  bits[bit / 8] = static_cast<std::uint8_t>(bits[bit / 8] | 1u << (bit % 8));
}

TEST(TdChecks, Table) {
  using Change = std::function<void(codec::TdReport&, TdxPolicy&)>;
  struct {
    const char* what;
    Change change;
    Ids failing;
  } const rows[] = {
      {"as it should be", [](auto&, auto&) {}, {}},
      {"DEBUG", [](auto& r, auto&) { set_bit(r.td_attributes, 0); }, {"tdx.td_attributes.debug"}},
      {"bit 1", [](auto& r, auto&) { set_bit(r.td_attributes, 1); }, {"tdx.td_attributes.debug"}},
      {"bit 7", [](auto& r, auto&) { set_bit(r.td_attributes, 7); }, {"tdx.td_attributes.debug"}},
      {"bit 8", [](auto& r, auto&) { set_bit(r.td_attributes, 8); }, {"tdx.td_attributes.reserved"}},
      {"bit 26", [](auto& r, auto&) { set_bit(r.td_attributes, 26); }, {"tdx.td_attributes.reserved"}},
      {"bit 32", [](auto& r, auto&) { set_bit(r.td_attributes, 32); }, {"tdx.td_attributes.reserved"}},
      {"bit 61", [](auto& r, auto&) { set_bit(r.td_attributes, 61); }, {"tdx.td_attributes.reserved"}},
      {"LASS, PKS, KL, TPA",
       [](auto& r, auto&) {
         for (unsigned b : {27u, 30u, 31u, 62u}) set_bit(r.td_attributes, b);
       },
       {}},
      {"SEPT_VE_DISABLE clear", [](auto& r, auto&) { r.td_attributes = {}; }, {"tdx.td_attributes.sept_ve_disable"}},
      {"SEPT_VE_DISABLE clear, allowed",
       [](auto& r, auto& p) {
         r.td_attributes = {};
         p.allow_sept_ve_disable_clear = true;
       },
       {}},
      {"MIGRATABLE", [](auto& r, auto&) { set_bit(r.td_attributes, 29); }, {"tdx.td_attributes.migratable"}},
      {"MIGRATABLE, allowed",
       [](auto& r, auto& p) {
         set_bit(r.td_attributes, 29);
         p.allow_migratable = true;
       },
       {}},
      {"MIGRATABLE by a named service TD",
       [](auto& r, auto& p) {
         set_bit(r.td_attributes, 29);
         r.mr_service_td = filled(1);
         p.mr_service_td = {Bytes(48, 1)};
       },
       {}},
      {"MIGRATABLE by another service TD",
       [](auto& r, auto& p) {
         set_bit(r.td_attributes, 29);
         r.mr_service_td = filled(2);
         p.mr_service_td = {Bytes(48, 1)};
       },
       {"tdx.td_attributes.migratable", "tdx.mr_service_td"}},
      {"service TD", [](auto& r, auto&) { r.mr_service_td = filled(1); }, {"tdx.mr_service_td"}},
      {"no service TD", [](auto& r, auto&) { r.mr_service_td = filled(0); }, {}},
      {"service TD, allowed",
       [](auto& r, auto& p) {
         r.mr_service_td = filled(1);
         p.allow_migratable = true;
       },
       {}},
      {"nothing that an extension says", [](auto& r, auto&) { r.extension.emplace(); }, {}},
      {"nested VM", [](auto& r, auto&) { r.extension.emplace().vm_id = 1; }, {"tdx.vm_id"}},
      {"devices", [](auto& r, auto&) { r.extension.emplace().device_info[47] = 1; }, {"tdx.device_info"}},
      {"built on another machine",
       [](auto& r, auto&) { r.extension.emplace().initial_cpu_svn[0] = 1; },
       {"tdx.migration"}},
      {"built under another module",
       [](auto& r, auto&) { r.extension.emplace().initial_tee_tcb_svn[0] = 1; },
       {"tdx.migration"}},
      {"built on another platform",
       [](auto& r, auto&) { r.extension.emplace().initial_fmspc[11] = 1; },
       {"tdx.migration"}},
      {"built with a service TD",
       [](auto& r, auto&) { r.extension.emplace().initial_service_td_hash[47] = 1; },
       {"tdx.migration"}},
      {"built with a service TD's rights",
       [](auto& r, auto&) { r.extension.emplace().initial_service_td_attributes[7] = 1; },
       {"tdx.migration"}},
      {"bound to a service TD",
       [](auto& r, auto&) { r.extension.emplace().service_td_hash[0] = 1; },
       {"tdx.migration"}},
      {"bound to a service TD's rights",
       [](auto& r, auto&) { r.extension.emplace().service_td_attributes[0] = 1; },
       {"tdx.migration"}},
      {"moved, allowed",
       [](auto& r, auto& p) {
         r.extension.emplace().initial_fmspc[0] = 1;
         p.allow_migratable = true;
       },
       {}},
      {"moved by a named service TD",
       [](auto& r, auto& p) {
         r.extension.emplace().service_td_hash[0] = 1;
         r.mr_service_td = filled(1);
         p.mr_service_td = {Bytes(48, 1)};
       },
       {}},
      {"moved by another service TD",
       [](auto& r, auto& p) {
         r.extension.emplace().service_td_hash[0] = 1;
         r.mr_service_td = filled(2);
         p.mr_service_td = {Bytes(48, 1)};
       },
       {"tdx.mr_service_td", "tdx.migration"}},
      {"PERFMON", [](auto& r, auto&) { set_bit(r.td_attributes, 63); }, {"tdx.td_attributes.perfmon"}},
      {"PERFMON, allowed",
       [](auto& r, auto& p) {
         set_bit(r.td_attributes, 63);
         p.allow_perfmon = true;
       },
       {}},
      {"XFAM without x87", [](auto& r, auto&) { r.xfam[0] = 0xe6; }, {"tdx.xfam"}},
      {"XFAM without SSE", [](auto& r, auto&) { r.xfam[0] = 0xe5; }, {"tdx.xfam"}},
      {"XFAM with an unknown bit", [](auto& r, auto&) { set_bit(r.xfam, 40); }, {"tdx.xfam"}},
      {"XFAM with every known bit",
       [](auto& r, auto&) {
         r.xfam = {0xe7, 0xdb, 0x06};
       },
       {}},
      {"XFAM as the policy says", [](auto& r, auto& p) { p.xfam = {Bytes(r.xfam.begin(), r.xfam.end())}; }, {}},
      {"XFAM other than the policy says", [](auto&, auto& p) { p.xfam = {Bytes(8, 3)}; }, {"tdx.xfam"}},
      {"owner", [](auto& r, auto&) { r.mr_owner = filled(1); }, {"tdx.mr_owner"}},
      {"owner as the policy says",
       [](auto& r, auto& p) {
         r.mr_owner = filled(1);
         p.mr_owner = {Bytes(48, 1)};
       },
       {}},
      {"no owner where the policy wants one", [](auto&, auto& p) { p.mr_owner = {Bytes(48, 1)}; }, {"tdx.mr_owner"}},
      {"owner's configuration", [](auto& r, auto&) { r.mr_owner_config = filled(1); }, {"tdx.mr_owner_config"}},
      {"no owner's configuration where the policy wants one",
       [](auto&, auto& p) { p.mr_owner_config = {Bytes(48, 1)}; },
       {"tdx.mr_owner_config"}},
  };
  for (const auto& row : rows) {
    codec::TdReport report = good_report();
    TdxPolicy policy;
    row.change(report, policy);
    Verdict verdict;
    add_td_checks(report, policy, verdict);
    EXPECT_EQ(failing(verdict), row.failing) << row.what;
    EXPECT_EQ(verdict.checks.size(), 12u);
    Verdict skipped;
    skip_td_checks("why", skipped);
    EXPECT_EQ(skipped.checks.size(), verdict.checks.size());
    for (const Check& check : verdict.checks) EXPECT_NE(skipped.find(check.id), nullptr) << check.id;
  }
}

TEST(TdChecks, AttributesHaveNames) {
  EXPECT_EQ(td_attribute_names({1, 0, 0, 0xf0, 0, 0, 0, 0x80}),
            (std::vector<std::string>{"DEBUG", "SEPT_VE_DISABLE", "MIGRATABLE", "PKS", "KL", "PERFMON"}));
}

}  // namespace
}  // namespace cloister::verify
