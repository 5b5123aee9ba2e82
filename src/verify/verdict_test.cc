#include "verify/verdict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "verify/check.h"
#include "verify/check_list.h"

namespace cloister::verify {
namespace {

Verdict verdict_of(std::vector<Check> checks) {
  Verdict verdict;
  verdict.subject = "report";
  verdict.checks = std::move(checks);
  return verdict;
}

TEST(Outcome, AFailureRejectsWhateverElseHappened) {
  EXPECT_EQ(verdict_of({passed("report.form"), failed("report.nonce", "other")}).outcome(), Outcome::kRejected);
  EXPECT_EQ(verdict_of({skipped("tdx.tcb", "no collateral"), failed("report.nonce", "other")}).outcome(),
            Outcome::kRejected);
  Check optional_failure = failed("report.nonce", "other");
  optional_failure.required = false;
  EXPECT_EQ(verdict_of({passed("report.form"), optional_failure}).outcome(), Outcome::kRejected);
}

TEST(Outcome, ASkippedRequiredCheckIsNeverAYes) {
  EXPECT_EQ(verdict_of({passed("report.form"), skipped("tdx.tcb", "no collateral")}).outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict_of({passed("report.form"), skipped("report_data.tls", "unknown", false)}).outcome(),
            Outcome::kAccepted);
}

TEST(Outcome, NothingCheckedIsNotAYes) {
  EXPECT_EQ(verdict_of({}).outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict_of({not_applicable("nvidia.payload.form", "no GPU")}).outcome(), Outcome::kUndetermined);
}

TEST(Verdict, ExitStatusesAreTheOutcomeValues) {
  EXPECT_EQ(static_cast<int>(Outcome::kAccepted), 0);
  EXPECT_EQ(static_cast<int>(Outcome::kRejected), 1);
  EXPECT_EQ(static_cast<int>(Outcome::kUndetermined), 3);
}

TEST(Verdict, AppendKeepsOwnFactsAndTakesNewOnes) {
  Verdict first = verdict_of({passed("report.form")});
  first.facts["signing_address"] = "a";
  Verdict second = verdict_of({failed("signature.valid", "no")});
  second.facts = {{"signing_address", "b"}, {"mr_td", "c"}};
  first.append(std::move(second));
  EXPECT_EQ(first.facts["signing_address"], "a");
  EXPECT_EQ(first.facts["mr_td"], "c");
  ASSERT_NE(first.find("signature.valid"), nullptr);
  EXPECT_EQ(first.find("signature.valid")->state, State::kFail);
  EXPECT_EQ(first.find("signature"), nullptr);
}

TEST(VerdictJson, HoldsTheMembersThatScriptsRead) {
  Verdict verdict = verdict_of({failed("nvidia.gpu.12.nonce", "other", "aa", "bb")});
  verdict.facts["tee_type"] = "tdx";
  const Json json = to_json(verdict);
  EXPECT_EQ(json["verdict"], "rejected");
  EXPECT_EQ(json["subject"], "report");
  EXPECT_EQ(json["facts"]["tee_type"], "tdx");
  const Json expected = {{"id", "nvidia.gpu.12.nonce"},
                         {"state", "fail"},
                         {"required", true},
                         {"expected", "aa"},
                         {"actual", "bb"},
                         {"detail", "other"},
                         {"meaning", std::string(find_meaning("nvidia.gpu.N.nonce")->meaning)}};
  EXPECT_EQ(json["checks"][0], expected);
}

TEST(VerdictText, GroupsChecksByTheDotsAndEndsWithTheReasons) {
  Verdict verdict = verdict_of({passed("report.form"), passed("tdx.quote.form"), passed("tdx.pck_chain"),
                                failed("tdx.quote.signature", "broken", "", ""), skipped("tdx.tcb", "no collateral")});
  EXPECT_EQ(to_text(verdict, false),
            "report\n"
            "  [pass] report.form\n"
            "  [pass] tdx.quote.form\n"
            "  [FAIL] tdx.quote.signature: broken\n"
            "         unchecked, an attacker could change measurements or report data in a genuine quote\n"
            "  [pass] tdx.pck_chain\n"
            "  [skip] tdx.tcb (required): no collateral\n"
            "verdict: rejected (3 passed, 1 failed, 1 skipped, 0 not applicable)\n"
            "  [FAIL] tdx.quote.signature: broken\n"
            "  [skip] tdx.tcb: no collateral\n");
}

TEST(VerdictText, TheSummaryHasWhatIsInTheWay) {
  Verdict verdict =
      verdict_of({passed("report.form"), skipped("tdx.tcb.status", "no collateral"), passed("tdx.pck_chain"),
                  not_applicable("tdx.fmspc", "simulated"), failed("tdx.quote.signature", "broken", "aa", "bb"),
                  skipped("receipt.id", "no id is known here", false)});
  verdict.subject = "reply";
  verdict.facts["tee_type"] = "insecure_simulator";
  EXPECT_EQ(to_summary(verdict, false),
            "reply\n"
            "verdict: rejected (2 passed, 1 failed, 2 skipped, 1 not applicable)\n"
            "THE TEE IS SIMULATED (insecure_simulator): this says nothing about any real machine; anyone can make such "
            "evidence.\n"
            "  [FAIL] tdx.quote.signature: broken; expected aa, found bb\n"
            "  [skip] tdx.tcb.status: no collateral\n");
  EXPECT_EQ(to_summary(verdict_of({passed("report.form")}), false),
            "report\nverdict: accepted (1 passed, 0 failed, 0 skipped, 0 not applicable)\n");
}

std::string reasons(std::vector<Check> checks) {
  const std::string text = to_summary(verdict_of(std::move(checks)), false);
  return text.substr(text.find(")\n") + 2);
}

TEST(VerdictReasons, ManyChecksWithOneReasonAreOneLine) {
  std::vector<Check> checks = {passed("report.form")};
  for (int gpu = 0; gpu < 8; ++gpu) {
    for (const char* name : {"rim.driver.available", "rim.driver.signature", "rim.vbios.available"}) {
      checks.push_back(
          skipped("nvidia.gpu." + std::to_string(gpu) + "." + name, "there is no manifest to compare with"));
    }
    checks.push_back(failed("nvidia.gpu." + std::to_string(gpu) + ".nonce", "other", "aa", std::to_string(gpu)));
  }
  checks.push_back(skipped("tdx.tcb.status", "no collateral was given"));
  checks.push_back(skipped("tdx.pck.revocation", "no collateral was given"));
  EXPECT_EQ(reasons(checks), "  [FAIL] nvidia.gpu.*.nonce (8 checks): other\n"
                             "  [skip] nvidia.gpu.*.rim.* (24 checks): there is no manifest to compare with\n"
                             "  [skip] tdx.* (2 checks): no collateral was given\n");
}

TEST(VerdictReasons, DevicesWithDetailsOfTheirOwnAreOneLine) {
  EXPECT_EQ(
      reasons({failed("nvidia.gpu.0.arch", "a"), failed("nvidia.gpu.1.arch", "b"), skipped("nvidia.nras.status", "a")}),
      "  [FAIL] nvidia.gpu.*.arch (2 checks): a, and other details\n"
      "  [skip] nvidia.nras.status: a\n");
}

TEST(VerdictReasons, AreFewAndSayHowManyTheyLeaveOut) {
  std::vector<Check> checks;
  for (char name = 'a'; name < 'a' + 11; ++name)
    checks.push_back(skipped(std::string("tdx.") + name, std::string(1, name)));
  checks.push_back(failed("tdx.z", "the worst comes first"));
  const std::string text = reasons(checks);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 9);
  EXPECT_EQ(text.find("  [FAIL] tdx.z: the worst comes first\n"), 0u);
  EXPECT_NE(text.find("  and 4 more checks\n"), std::string::npos);
}

TEST(VerdictReasons, NothingFoundOutIsOne) { EXPECT_EQ(reasons({}), "  no required check passed\n"); }

TEST(VerdictText, SaysPlainlyThatTheTeeIsSimulated) {
  Verdict verdict = verdict_of({passed("report.form")});
  EXPECT_EQ(to_text(verdict, false).find("SIMULATED"), std::string::npos);
  verdict.facts["tee_type"] = "insecure_simulator";
  EXPECT_NE(to_text(verdict, false).find("THE TEE IS SIMULATED (insecure_simulator)"), std::string::npos);
  verdict.facts = {{"upstream", {{"tee_type", "insecure_simulator"}}}};
  EXPECT_NE(to_text(verdict, false).find("THE TEE IS SIMULATED"), std::string::npos) << "in a part of the evidence";
}

TEST(VerdictText, EvidenceCannotPaintOnTheTerminal) {
  Verdict verdict = verdict_of({failed("tdx.pck_chain", "x\x1b[2J\nverdict: accepted", "a\r",
                                       "\x9b"
                                       "1m")});
  verdict.facts["gpus"] = Json::array({"\x1b[32m"});
  verdict.facts["signing_address"] = "0x\n";
  const std::string text = to_text(verdict, false);
  for (const char c : text) {
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << "control character " << static_cast<int>(c);
  }
  EXPECT_EQ(text.find("\nverdict: accepted"), std::string::npos);
}

TEST(VerdictText, ColorsOnlyWhenAsked) {
  const Verdict verdict = verdict_of({passed("report.form")});
  EXPECT_EQ(to_text(verdict, false).find('\x1b'), std::string::npos);
  EXPECT_NE(to_text(verdict, true).find("\x1b[32m[pass]\x1b[0m report.form"), std::string::npos);
}

TEST(CheckList, IdsAreUniqueAndExplained) {
  std::set<std::string_view> ids;
  for (const CheckMeaning& check : check_list()) {
    EXPECT_TRUE(ids.insert(check.id).second) << check.id;
    EXPECT_FALSE(check.meaning.empty()) << check.id;
    EXPECT_FALSE(check.without.empty()) << check.id;
  }
}

TEST(CheckList, FindsDeviceChecksOfAnyNumber) {
  EXPECT_EQ(find_meaning("nvidia.gpu.0.nonce"), find_meaning("nvidia.gpu.63.nonce"));
  EXPECT_NE(find_meaning("nvidia.gpu.0.nonce"), nullptr);
  EXPECT_EQ(find_meaning("nvidia.gpu.x.nonce"), nullptr);
  EXPECT_EQ(find_meaning("nvidia.gpu..nonce"), nullptr);
  EXPECT_EQ(find_meaning(""), nullptr);
}

}  // namespace
}  // namespace cloister::verify
