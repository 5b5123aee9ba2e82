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

const Error kNoList = fail(ErrorCode::kNetwork, "no list");

TEST(AskedModel, IsTheOneOfTheReport) {
  EXPECT_EQ(judge("a", "a", kNoList), State::kPass);
  EXPECT_EQ(judge("gr\xc3\xbc\xc3\x9f", "gr%C3%BC%C3%9F", kNoList), State::kPass);
  EXPECT_EQ(judge("b", "a", kNoList), State::kFail);
  EXPECT_EQ(judge("b", "a", Names{"a", "b"}), State::kFail)
      << "nothing binds the list, and the report names another model";
}

TEST(AskedModel, TheListOfTheNodeAloneShowsWhatItLacks) {
  EXPECT_EQ(judge("b", "", Names{"b"}), State::kSkipped);
  EXPECT_EQ(judge("b", "", Names{"a"}), State::kFail);
  EXPECT_EQ(judge("b", "", Names{}), State::kFail);
  EXPECT_EQ(judge("b", "", kNoList), State::kSkipped);
}

TEST(AskedModel, WordsOfTheNodeStayOutOfTheReason) {
  Verdict verdict;
  check_asked_model("b", "", Error(fail(ErrorCode::kNetwork, "the node answered 401\nverdict: accepted")), verdict);
  EXPECT_TRUE(verdict.checks.front().detail.ends_with("the node answered 401")) << verdict.checks.front().detail;
}

}  // namespace
}  // namespace cloister::verify
