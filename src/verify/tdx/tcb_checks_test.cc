// Every check about the TCB fails with one change each, on a platform of our own.
#include "verify/tdx/tcb_checks.h"

#include <gtest/gtest.h>

#include <functional>

#include "verify/testing/own_platform.h"
#include "verify/testing/verdict_ids.h"

namespace cloister::verify {
namespace {

using testing::failing;
using testing::Ids;
using testing::ids_in;
using testing::kNewDate;
using testing::kNow;
using testing::kOldDate;
using testing::OwnPlatform;

struct Case {
  OwnPlatform platform;
  TdxPolicy policy;
  UnixSeconds time = kNow;
};

Verdict judge(const Case& c) {
  Verdict verdict;
  add_tcb_checks(judge_collateral(c.platform.build(), c.platform.root()), c.platform.quote, c.platform.pck, c.policy,
                 c.time, verdict);
  return verdict;
}

struct Row {
  const char* what;
  std::function<void(Case&)> change;
  Ids failing;
  Ids skipped = {};
};

const Ids kResult = {"tdx.tcb.status", "tdx.tcb.advisories", "tdx.tcb.date"};
const Ids kAllOfLevels = {"tdx.seam.mr_signer", "tdx.seam.attributes", "tdx.tcb.platform", "tdx.tcb.module",
                          "tdx.tcb.status",     "tdx.tcb.advisories",  "tdx.tcb.date"};

TEST(TcbChecks, AHealthyPlatformPasses) {
  Case c;
  c.policy.allowed_advisories.emplace();
  c.policy.min_tcb_date = *from_rfc3339(kNewDate);
  const Verdict verdict = judge(c);
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.checks.size(), 14u);
  EXPECT_EQ(verdict.facts["tcb_status"], "UpToDate");
  EXPECT_EQ(verdict.facts["tcb_status_parts"],
            Json({{"platform", "UpToDate"}, {"qe", "UpToDate"}, {"module", "UpToDate"}}));
  EXPECT_EQ(verdict.facts["tcb_date"], kNewDate);
  EXPECT_EQ(verdict.facts["advisory_ids"], Json::array());
}

TEST(TcbChecks, EachFailsForItsOwnReason) {
  const Row rows[] = {
      {"FMSPC", [](Case& c) { c.platform.pck.fmspc[5] = 1; }, {"tdx.fmspc"}, kAllOfLevels},
      {"PCEID",
       [](Case& c) {
         c.platform.pck.pce_id = {1, 0};
       },
       {"tdx.pce_id"},
       kAllOfLevels},
      {"TCB info of SGX",
       [](Case& c) {
         c.platform.tcb_info["id"] = "SGX";
         for (Json& level : c.platform.tcb_info["tcbLevels"]) level["tcb"].erase("tdxtcbcomponents");
       },
       {},
       kAllOfLevels},
      {"QE signer", [](Case& c) { c.platform.quote.qe_report.mr_signer[0] ^= 1; }, {"tdx.qe_identity.mr_signer"}},
      {"QE product", [](Case& c) { c.platform.quote.qe_report.isv_prod_id = 1; }, {"tdx.qe_identity.isv_prod_id"}},
      {"QE options", [](Case& c) { c.platform.quote.qe_report.misc_select = 1; }, {"tdx.qe_identity.misc_select"}},
      {"QE attributes",
       [](Case& c) { c.platform.quote.qe_report.attributes[0] = 0x13; },
       {"tdx.qe_identity.attributes"}},
      {"QE attributes outside the mask", [](Case& c) { c.platform.quote.qe_report.attributes[8] = 0xff; }, {}},
      {"QE attribute expected outside the mask",
       [](Case& c) { c.platform.qe_identity["attributes"] = "15000000000000000000000000000000"; },
       {"tdx.qe_identity.attributes"}},
      {"QE too old", [](Case& c) { c.platform.quote.qe_report.isv_svn = 1; }, {"tdx.tcb.qe"}, kResult},
      {"module signer", [](Case& c) { c.platform.quote.report.mr_signer_seam[0] = 1; }, {"tdx.seam.mr_signer"}},
      {"module attributes", [](Case& c) { c.platform.quote.report.seam_attributes[0] = 1; }, {"tdx.seam.attributes"}},
      {"module attributes outside the mask",
       [](Case& c) {
         c.platform.quote.report.seam_attributes[7] = 1;
         c.platform.tcb_info["tdxModuleIdentities"][0]["attributesMask"] = "FFFFFFFFFFFFFF00";
       },
       {"tdx.seam.attributes"}},
      {"module unknown",
       [](Case& c) { c.platform.quote.report.tee_tcb_svn[1] = 2; },
       {"tdx.tcb.module"},
       {"tdx.seam.mr_signer", "tdx.seam.attributes", "tdx.tcb.status", "tdx.tcb.advisories", "tdx.tcb.date"}},
      {"module too old", [](Case& c) { c.platform.quote.report.tee_tcb_svn[0] = 1; }, {"tdx.tcb.module"}, kResult},
      {"module signer of version 1.0",
       [](Case& c) {
         c.platform.quote.report.tee_tcb_svn = {5, 0, 2};
         c.platform.tcb_info["tdxModule"]["mrsigner"] = std::string(96, '1');
       },
       {"tdx.seam.mr_signer"}},
      {"platform below every level",
       [](Case& c) { c.platform.pck.component_svns[0] = 1; },
       {"tdx.tcb.platform"},
       kResult},
      {"platform below every level now",
       [](Case& c) {
         c.platform.quote.report.tee_tcb_svn2 = ByteArray<16>{4, 1, 0};
       },
       {"tdx.tcb.platform"},
       kResult},
      {"module unknown now",
       [](Case& c) {
         c.platform.quote.report.tee_tcb_svn2 = ByteArray<16>{4, 2, 2};
       },
       {"tdx.tcb.module"},
       {"tdx.seam.mr_signer", "tdx.seam.attributes", "tdx.tcb.status", "tdx.tcb.advisories", "tdx.tcb.date"}},
      {"out of date",
       [](Case& c) {
         c.platform.pck.pce_svn = 10;
         c.policy.allowed_advisories = {"INTEL-SA-00001"};
       },
       {"tdx.tcb.status"}},
      {"advisory",
       [](Case& c) {
         c.platform.pck.pce_svn = 10;
         c.policy.accepted_tcb_statuses.insert("OutOfDate");
         c.policy.allowed_advisories = {"INTEL-SA-00002"};
       },
       {"tdx.tcb.advisories"}},
      {"date", [](Case& c) { c.policy.min_tcb_date = *from_rfc3339(kNewDate) + 1; }, {"tdx.tcb.date"}},
  };
  for (const Row& row : rows) {
    Case c;
    c.policy.allowed_advisories.emplace();
    c.policy.min_tcb_date = 0;
    row.change(c);
    const Verdict verdict = judge(c);
    EXPECT_EQ(failing(verdict), row.failing) << row.what << to_text(verdict, false);
    EXPECT_EQ(ids_in(verdict, State::kSkipped), row.skipped) << row.what;
    EXPECT_EQ(verdict.checks.size(), 14u) << row.what;
    EXPECT_EQ(verdict.facts.contains("tcb_status"), !row.skipped.contains("tdx.tcb.status")) << row.what;
  }
}

// Each status, as published for the platform, under each policy that names it or does not.
TEST(TcbChecks, EachStatusNeedsAPolicyThatTakesIt) {
  for (const char* status :
       {"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
        "OutOfDateConfigurationNeeded", "Revoked"}) {
    Case c;
    c.platform.tcb_info["tcbLevels"][0]["tcbStatus"] = status;
    const Ids strict = std::string_view(status) == "UpToDate" ? Ids{} : Ids{"tdx.tcb.status"};
    EXPECT_EQ(failing(judge(c)), strict) << status;
    c.policy.accepted_tcb_statuses = {status};
    const Ids asked = std::string_view(status) == "Revoked" ? Ids{"tdx.tcb.status"} : Ids{};
    EXPECT_EQ(failing(judge(c)), asked) << status;
    EXPECT_EQ(judge(c).facts["tcb_status"], status);
  }
}

TEST(TcbChecks, AComponentLowersTheStatus) {
  struct {
    const char* what;
    std::function<void(Case&)> change;
    const char* status;
  } const rows[] = {
      {"module out of date", [](Case& c) { c.platform.quote.report.tee_tcb_svn[0] = 3; }, "OutOfDate"},
      {"QE out of date", [](Case& c) { c.platform.quote.qe_report.isv_svn = 3; }, "OutOfDate"},
      {"QE out of date, platform to be configured",
       [](Case& c) {
         c.platform.quote.qe_report.isv_svn = 3;
         c.platform.tcb_info["tcbLevels"][0]["tcbStatus"] = "ConfigurationNeeded";
       },
       "OutOfDateConfigurationNeeded"},
      {"module revoked",
       [](Case& c) { c.platform.tcb_info["tdxModuleIdentities"][0]["tcbLevels"][0]["tcbStatus"] = "Revoked"; },
       "Revoked"},
      {"QE revoked", [](Case& c) { c.platform.qe_identity["tcbLevels"][0]["tcbStatus"] = "Revoked"; }, "Revoked"},
  };
  for (const auto& row : rows) {
    Case c;
    row.change(c);
    const Verdict verdict = judge(c);
    EXPECT_EQ(verdict.facts["tcb_status"], row.status) << row.what;
    EXPECT_EQ(failing(verdict), Ids{"tdx.tcb.status"}) << row.what;
  }
}

TEST(TcbChecks, ATdReport15IsJudgedAtLaunchAndNow) {
  struct {
    const char* what;
    ByteArray<16> launch, current;
    const char* status;
  } const rows[] = {
      {"both good", {4, 1, 2}, {5, 1, 2}, "UpToDate"},
      {"module updated under the TD", {3, 1, 2}, {4, 1, 2}, "TDRelaunchAdvised"},
      {"microcode updated under the TD", {4, 1, 1}, {4, 1, 2}, "TDRelaunchAdvised"},
      {"still old", {3, 1, 2}, {3, 1, 2}, "OutOfDate"},
      {"went back", {4, 1, 2}, {3, 1, 2}, "UpToDate"},
  };
  for (const auto& row : rows) {
    Case c;
    c.platform.quote.report.tee_tcb_svn = row.launch;
    c.platform.quote.report.tee_tcb_svn2 = row.current;
    EXPECT_EQ(judge(c).facts["tcb_status"], row.status) << row.what;
  }
  Case c;
  c.platform.quote.report.tee_tcb_svn = {3, 1, 2};
  c.platform.quote.report.tee_tcb_svn2 = ByteArray<16>{4, 1, 2};
  EXPECT_EQ(failing(judge(c)), Ids{"tdx.tcb.status"});
  c.policy.accepted_tcb_statuses = {"OutOfDate"};
  EXPECT_EQ(failing(judge(c)), Ids{"tdx.tcb.status"}) << "not the same as OutOfDate";
  c.policy.accepted_tcb_statuses = {"TDRelaunchAdvised"};
  EXPECT_EQ(failing(judge(c)), Ids{});
}

TEST(TcbChecks, GraceCountsFromTheLevelsDate) {
  Case c;
  c.platform.pck.pce_svn = 10;
  const UnixSeconds date = *from_rfc3339(kOldDate);
  struct {
    std::uint32_t days;
    UnixSeconds time;
    bool accepted;
  } const rows[] = {
      {0, date, false}, {10, date + 10 * 86400 - 1, true}, {10, date + 10 * 86400, false}, {0xffffffff, kNow, true}};
  for (const auto& row : rows) {
    c.policy.out_of_date_grace_days = row.days;
    c.time = row.time;
    EXPECT_EQ(failing(judge(c)).empty(), row.accepted) << row.days << " " << row.time;
  }
  c.policy.out_of_date_grace_days = 100000;
  c.platform.tcb_info["tcbLevels"][1]["tcbStatus"] = "OutOfDateConfigurationNeeded";
  EXPECT_EQ(failing(judge(c)), Ids{"tdx.tcb.status"}) << "grace is for OutOfDate alone";
}

TEST(TcbChecks, WithoutReadablePartsTheyAreSkipped) {
  const OwnPlatform platform;
  const TdxPolicy policy;
  TdxCollateral collateral = platform.build();
  collateral.tcb_info = "{}";
  collateral.qe_identity.clear();
  Verdict verdict;
  add_tcb_checks(judge_collateral(collateral, platform.root()), platform.quote, platform.pck, policy, kNow, verdict);
  EXPECT_EQ(ids_in(verdict, State::kSkipped).size(), 14u);
  Verdict no_extension;
  add_tcb_checks(judge_collateral(platform.build(), platform.root()), platform.quote, std::nullopt, policy, kNow,
                 no_extension);
  EXPECT_EQ(no_extension.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(no_extension.checks.size(), 14u);
}

}  // namespace
}  // namespace cloister::verify
