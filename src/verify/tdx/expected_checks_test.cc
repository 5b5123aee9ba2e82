// Each exact value that a policy may name, with a genuine quote: right, wrong, one of several.
#include "verify/tdx/expected_checks.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/testing/vectors.h"
#include "verify/check_list.h"
#include "verify/quote.h"

namespace cloister::verify {
namespace {

using cloister::testing::vector_bytes;

constexpr UnixSeconds kTime = 1750809600;  // 2025-06-25
constexpr std::size_t kReport = 48;        // where the TD report begins in a quote of version 4

Verdict judge(const TdxPolicy& policy, const char* file = "tdx/v4_b0c06f_uptodate.bin") {
  Policy all;
  all.tdx = policy;
  return verify_quote(vector_bytes(file), {all, {}, kTime});
}

// Returns `size` bytes of the TD report of that quote.
Bytes field(std::size_t offset, std::size_t size) {
  const Bytes quote = vector_bytes("tdx/v4_b0c06f_uptodate.bin");
  return Bytes(quote.begin() + static_cast<std::ptrdiff_t>(kReport + offset),
               quote.begin() + static_cast<std::ptrdiff_t>(kReport + offset + size));
}

TEST(ExpectedChecks, EachValueIsComparedWhereThePolicyNamesIt) {
  const struct {
    const char* id;
    std::set<Bytes> TdxPolicy::*member;
    Bytes actual;
  } cases[] = {
      {"tdx.expected.qe_vendor_id", &TdxPolicy::qe_vendor_ids,
       Bytes(codec::kIntelQeVendorId.begin(), codec::kIntelQeVendorId.end())},
      {"tdx.expected.fmspc", &TdxPolicy::fmspcs, {0xb0, 0xc0, 0x6f, 0, 0, 0}},
      {"tdx.expected.mr_seam", &TdxPolicy::mr_seam, field(16, 48)},
      {"tdx.expected.mr_signer_seam", &TdxPolicy::mr_signer_seam, field(64, 48)},
      {"tdx.expected.seam_attributes", &TdxPolicy::seam_attributes, field(112, 8)},
      {"tdx.expected.td_attributes", &TdxPolicy::td_attributes, field(120, 8)},
      {"tdx.expected.mr_config_id", &TdxPolicy::mr_config_id, field(184, 48)},
  };
  for (const auto& one : cases) {
    EXPECT_NE(find_meaning(one.id), nullptr) << one.id;
    TdxPolicy policy;
    EXPECT_EQ(judge(policy).find(one.id)->state, State::kNotApplicable) << one.id;
    Bytes other = one.actual;
    other.back() ^= 1;
    policy.*one.member = {other};
    EXPECT_EQ(judge(policy).find(one.id)->state, State::kFail) << one.id;
    (policy.*one.member).insert(one.actual);
    EXPECT_EQ(judge(policy).find(one.id)->state, State::kPass) << one.id;
  }
}

TEST(ExpectedChecks, NoComponentOfTeeTcbSvnIsBelowTheMinimum) {
  const Bytes actual = field(0, 16);
  const auto state = [](const Bytes& least) {
    TdxPolicy policy;
    policy.min_tee_tcb_svn = least;
    return judge(policy).find("tdx.expected.tee_tcb_svn")->state;
  };
  EXPECT_EQ(judge({}).find("tdx.expected.tee_tcb_svn")->state, State::kNotApplicable);
  EXPECT_EQ(state(Bytes(16)), State::kPass);
  EXPECT_EQ(state(actual), State::kPass);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    Bytes least(16);  // a high value elsewhere does not make up for it
    least[i] = static_cast<std::uint8_t>(actual[i] + 1);
    EXPECT_EQ(state(least), State::kFail) << i;
  }
}

TEST(ExpectedChecks, BothSvnsOfATdReport15Count) {
  codec::TdxQuote quote = *codec::parse_tdx_quote(vector_bytes("tdx/v5_td15_90c06f.bin"));
  ASSERT_TRUE(quote.report.tee_tcb_svn2);
  TdxPolicy policy;
  policy.min_tee_tcb_svn = Bytes(16, 1);
  quote.report.tee_tcb_svn.fill(2);
  for (const std::uint8_t now : {std::uint8_t{0}, std::uint8_t{1}}) {
    quote.report.tee_tcb_svn2->fill(now);
    Verdict verdict;
    add_expected_checks(quote, std::nullopt, policy, verdict);
    EXPECT_EQ(verdict.find("tdx.expected.tee_tcb_svn")->state, now == 0 ? State::kFail : State::kPass);
  }
}

TEST(ExpectedChecks, WithoutACertificateTheFmspcIsNotKnown) {
  TdxPolicy policy;
  policy.fmspcs = {Bytes(6)};
  Verdict verdict;
  add_expected_checks({}, std::nullopt, policy, verdict);
  EXPECT_EQ(verdict.find("tdx.expected.fmspc")->state, State::kSkipped);
  Verdict unread;
  skip_expected_checks("why", unread);
  ASSERT_EQ(verdict.checks.size(), unread.checks.size());
  for (const Check& check : unread.checks) EXPECT_NE(verdict.find(check.id), nullptr) << check.id;
}

TEST(TeeKind, AQuoteUnderAPolicyForAnotherKindOfTee) {
  const Bytes quote = vector_bytes("tdx/v4_b0c06f_uptodate.bin");
  Policy policy;
  const auto state = [&] { return verify_quote(quote, {policy, {}, kTime}).find("tee.kind")->state; };
  EXPECT_EQ(state(), State::kPass);
  policy.tee_kinds = {"sev_snp"};
  EXPECT_EQ(state(), State::kFail);
  policy.tee_kinds = {"sev_snp", "tdx"};
  EXPECT_EQ(state(), State::kPass);
  policy.tee_kinds = std::set<std::string>{};
  EXPECT_EQ(state(), State::kFail);
}

TEST(TeeReportData, OfABareQuote) {
  const Bytes quote = vector_bytes("tdx/v4_b0c06f_uptodate.bin");
  Policy policy;
  const auto check = [&] { return *verify_quote(quote, {policy, {}, kTime}).find("tee.report_data"); };
  const auto state = [&] { return check().state; };
  // Nothing shows when it was made, and for whom.
  EXPECT_EQ(state(), State::kSkipped);
  EXPECT_TRUE(check().required) << "a policy that requires a nonce";
  policy.require_nonce = false;
  EXPECT_EQ(state(), State::kSkipped);
  EXPECT_FALSE(check().required);
  policy.require_nonce = true;
  policy.report_data = {Bytes(64, 1)};
  EXPECT_EQ(state(), State::kFail);
  policy.report_data.insert(field(520, 64));
  EXPECT_EQ(state(), State::kPass);
}

}  // namespace
}  // namespace cloister::verify
