#include "verify/verdict.h"

#include <gtest/gtest.h>

#include <set>

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
  EXPECT_EQ(verdict_of({passed("report.form"), skipped("tdx.tcb", "no collateral")}).outcome(),
            Outcome::kUndetermined);
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

TEST(VerdictText, IsATreeGroupedByTheDots) {
  Verdict verdict = verdict_of({passed("report.form"), passed("tdx.quote.form"), passed("tdx.pck_chain"),
                                failed("tdx.quote.signature", "broken", "", ""), skipped("tdx.tcb", "no collateral")});
  EXPECT_EQ(to_text(verdict, false),
            "report\n"
            "  report\n"
            "    [pass] form\n"
            "  tdx\n"
            "    quote\n"
            "      [pass] form\n"
            "      [FAIL] signature: broken\n"
            "             unchecked, an attacker could change measurements or report data in a genuine quote\n"
            "    [pass] pck_chain\n"
            "    [skip] tcb (required): no collateral\n"
            "verdict: rejected (3 passed, 1 failed, 1 skipped, 0 not applicable)\n");
}

TEST(VerdictText, TheSummaryHasWhatIsInTheWay) {
  Verdict verdict = verdict_of({passed("report.form"), failed("tdx.quote.signature", "broken"), passed("tdx.pck_chain"),
                                not_applicable("tdx.fmspc", "simulated"), skipped("tdx.tcb.status", "no collateral")});
  verdict.subject = "reply";
  verdict.facts["tee_type"] = "insecure_simulator";
  EXPECT_EQ(to_summary(verdict, false),
            "reply\n"
            "  tdx\n"
            "    quote\n"
            "      [FAIL] signature: broken\n"
            "             unchecked, an attacker could change measurements or report data in a genuine quote\n"
            "    tcb\n"
            "      [skip] status (required): no collateral\n"
            "verdict: rejected (2 passed, 1 failed, 1 skipped, 1 not applicable)\n"
            "THE TEE IS SIMULATED (insecure_simulator): this says nothing about any real machine; anyone can make such "
            "evidence.\n");
  EXPECT_EQ(to_summary(verdict_of({passed("report.form")}), false),
            "report\nverdict: accepted (1 passed, 0 failed, 0 skipped, 0 not applicable)\n");
}

TEST(VerdictText, SaysPlainlyThatTheTeeIsSimulated) {
  Verdict verdict = verdict_of({passed("report.form")});
  EXPECT_EQ(to_text(verdict, false).find("SIMULATED"), std::string::npos);
  verdict.facts["tee_type"] = "insecure_simulator";
  EXPECT_NE(to_text(verdict, false).find("THE TEE IS SIMULATED (insecure_simulator)"), std::string::npos);
}

TEST(VerdictText, EvidenceCannotPaintOnTheTerminal) {
  Verdict verdict = verdict_of({failed("tdx.pck_chain", "x\x1b[2J\nverdict: accepted", "a\r", "\x9b" "1m")});
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
  EXPECT_NE(to_text(verdict, true).find("\x1b[32m[pass]\x1b[0m form"), std::string::npos);
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
