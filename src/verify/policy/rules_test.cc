#include "verify/policy/rules.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "verify/check.h"
#include "verify/check_list.h"
#include "verify/policy/policy_file.h"

namespace cloister::verify {
namespace {

// "tdx.min_tcb_date" for each key of the default policy, including those in comments.
std::vector<std::string> words_of_the_file() {
  std::vector<std::string> out;
  std::istringstream lines{std::string(kDefaultPolicyText)};
  std::string line, table;
  while (std::getline(lines, line)) {
    if (line.starts_with('[')) {
      table = line.substr(1, line.find(']') - 1) + ".";
      continue;
    }
    if (line.starts_with("# ")) line = line.substr(2);
    const std::string word = line.substr(0, line.find(' '));
    const bool plain =
        !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (plain && line.substr(word.size()).starts_with(" = ")) out.push_back(table + word);
  }
  return out;
}

TEST(PolicyRules, HasAnEntryForEachWordOfAPolicy) {
  std::vector<std::string> names;
  for (const PolicyRule& rule : policy_rules()) names.emplace_back(rule.name);
  EXPECT_EQ(names, words_of_the_file()) << "a new word of the policy needs an entry in verify/policy/rules.cc";
}

TEST(PolicyRules, NameChecksThatExist) {
  for (const PolicyRule& rule : policy_rules()) {
    EXPECT_EQ(rule.demands == nullptr, rule.checks.empty()) << rule.name;
    for (const std::string_view id : rule.checks) EXPECT_NE(find_meaning(id), nullptr) << rule.name;
  }
}

TEST(PolicyRules, TheDefaultPolicyDemandsNothingMore) {
  for (const PolicyRule& rule : policy_rules())
    EXPECT_FALSE(rule.demands != nullptr && rule.demands(Policy{})) << rule.name;
}

Check applied(const Policy& policy, std::vector<Check> checks) {
  Verdict verdict;
  verdict.checks = std::move(checks);
  require_rules(policy, verdict);
  const Check* check = verdict.find("policy.applied");
  return check == nullptr ? not_applicable("policy.applied", "none") : *check;
}

TEST(PolicyRules, ARuleWithoutACheckIsSkippedAndRequired) {
  Policy policy;
  policy.service.model_digests = {Bytes(32, 7)};
  policy.nvidia.gpu_count = 8;
  const std::string id = "report.model_digest";
  EXPECT_EQ(applied(policy, {}).expected, "nvidia.gpu_count, service.model_digests");
  for (const Check& check : {not_applicable(id, "n/a"), skipped(id, "nobody asked", false)}) {
    EXPECT_EQ(applied(policy, {check}).expected, "nvidia.gpu_count, service.model_digests");
  }
  for (const Check& check : {passed(id), failed(id, "another"), skipped(id, "could not be read")}) {
    const Check found = applied(policy, {check});
    EXPECT_EQ(found.expected, "nvidia.gpu_count");
    EXPECT_TRUE(found.state == State::kSkipped && found.required);
  }
  const Check whole = applied(policy, {passed(id), passed("nvidia.gpu_count")});
  EXPECT_TRUE(whole.state == State::kPass && !whole.required);
}

// Checks of another piece of evidence in the same verdict apply no rule here.
TEST(PolicyRules, AChecksPlaceCounts) {
  Policy policy;
  policy.service.model_digests = {Bytes(32, 7)};
  EXPECT_EQ(applied(policy, {passed("model.0.report.model_digest")}).state, State::kSkipped);
}

TEST(PolicyRules, AreAboutTheirKindOfEvidence) {
  Policy policy;
  policy.tdx.min_tcb_date = 1;
  EXPECT_EQ(applied(policy, {passed("snp.report.form")}).state, State::kNotApplicable);
  EXPECT_EQ(applied(policy, {passed("tdx.quote.form")}).state, State::kSkipped);
  EXPECT_EQ(applied(policy, {passed("nvidia.payload.form")}).state, State::kSkipped) << "no evidence of a CPU at all";
  policy = {};
  policy.nvidia.min_driver_version = "550";
  EXPECT_EQ(applied(policy, {not_applicable("nvidia.payload.form", "none is shown")}).state, State::kSkipped)
      << "a form that shows no GPU hides none";
  EXPECT_EQ(applied(policy, {passed("nvidia.payload.form"), passed("nvidia.gpu.12.min_driver")}).state, State::kPass);
  EXPECT_EQ(applied(policy, {passed("tdx.quote.form")}).state, State::kSkipped) << "nobody looked for a GPU";
  policy.nvidia.required = GpuRequirement::kNever;
  EXPECT_EQ(applied(policy, {}).state, State::kNotApplicable);
}

TEST(PolicyRules, AModelManifestIsComparedOrAskedFor) {
  Policy policy;
  policy.service.model_manifest.emplace();
  Verdict verdict;
  require_rules(policy, verdict);
  ASSERT_NE(verdict.find("model.document"), nullptr);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
}

// Chutes: a list of instances without evidence of its own.
TEST(PolicyRules, InAListEveryInstanceHasToApplyARule) {
  Policy policy;
  policy.boot.mr_td = {Bytes(48, 7)};
  const auto state = [&policy](std::vector<Check> checks) { return applied(policy, std::move(checks)).state; };
  const Check first = passed("instance.0.tdx.measurements"), second = passed("instance.1.tdx.measurements");
  const Check of_second = passed("instance.1.tdx.quote.form"), own = passed("tdx.quote.form");
  EXPECT_EQ(state({first, second}), State::kPass);
  EXPECT_EQ(state({first, failed("instance.1.tdx.measurements", "other")}), State::kPass) << "applied, and failed";
  EXPECT_EQ(state({first, of_second}), State::kSkipped);
  EXPECT_EQ(state({first, not_applicable("instance.1.tdx.measurements", "")}), State::kSkipped);
  EXPECT_EQ(state({passed("model.0.tdx.measurements")}), State::kSkipped) << "a verdict of its own";
  // A report with further instances next to it is no such list: its own checks count.
  EXPECT_EQ(state({own, second}), State::kSkipped);
  EXPECT_EQ(state({own, passed("tdx.measurements"), second}), State::kPass);
}

TEST(PolicyRules, WhatAnInstanceIsDecidesWhichRulesAreItsMatter) {
  Policy policy;
  policy.snp.min_tee = 4;
  EXPECT_EQ(applied(policy, {passed("instance.0.tdx.quote.form")}).state, State::kNotApplicable);
  EXPECT_EQ(applied(policy, {passed("instance.0.snp.report.form")}).state, State::kSkipped);
  EXPECT_EQ(applied(policy, {passed("instance.0.tdx.quote.form"), passed("instance.1.snp.report.form")}).state,
            State::kSkipped);
}

}  // namespace
}  // namespace cloister::verify
