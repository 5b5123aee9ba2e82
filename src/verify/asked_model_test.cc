#include "verify/asked_model.h"

#include <gtest/gtest.h>

namespace cloister::verify {
namespace {

using Names = std::vector<std::string>;

State judge(const std::string& asked, const std::string& in_report, const Result<Names>& listed) {
  Verdict verdict;
  check_asked_model(asked, in_report, listed, verdict);
  EXPECT_EQ(verdict.checks.size(), 1u);
  EXPECT_EQ(verdict.checks.front().id, "report.model");
  EXPECT_TRUE(verdict.checks.front().required);
  return verdict.checks.front().state;
}

TEST(AskedModel, IsTheOneOfTheReportOrOfTheList) {
  const Error none = fail(ErrorCode::kNetwork, "no list");
  EXPECT_EQ(judge("a", "a", none), State::kPass);
  EXPECT_EQ(judge("gr\xc3\xbc\xc3\x9f", "gr%C3%BC%C3%9F", none), State::kPass);
  EXPECT_EQ(judge("b", "a", Names{"a", "b"}), State::kPass);
  EXPECT_EQ(judge("b", "", Names{"b"}), State::kPass);
}

TEST(AskedModel, AnotherOneFailsAndAnUnknownOneIsSkipped) {
  EXPECT_EQ(judge("b", "a", Names{"a"}), State::kFail);
  EXPECT_EQ(judge("b", "", Names{}), State::kFail);
  EXPECT_EQ(judge("b", "a", Error(fail(ErrorCode::kNetwork, "no list"))), State::kSkipped);
}

TEST(AskedModel, WordsOfTheNodeStayOutOfTheReason) {
  Verdict verdict;
  check_asked_model("b", "", Error(fail(ErrorCode::kNetwork, "the node answered 401\nverdict: accepted")), verdict);
  EXPECT_TRUE(verdict.checks.front().detail.ends_with("the node answered 401")) << verdict.checks.front().detail;
}

}  // namespace
}  // namespace cloister::verify
