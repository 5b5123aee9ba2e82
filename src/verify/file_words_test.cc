#include "verify/file_words.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr UnixSeconds kTime = 1'750'500'000;

Check file_time(bool named) {
  Verdict verdict;
  check_file_time(kTime, named, verdict);
  EXPECT_EQ(verdict.checks.size(), 1u);
  EXPECT_EQ(verdict.checks.front().id, "file.time");
  return verdict.checks.front();
}

TEST(FileTime, ThatTheFileNamesIsNoTime) {
  const Check check = file_time(false);
  EXPECT_EQ(check.state, State::kSkipped);
  EXPECT_TRUE(check.required);
}

TEST(FileTime, ThatThePersonNamesPassesAndProvesNothing) {
  const Check check = file_time(true);
  EXPECT_EQ(check.state, State::kPass);
  EXPECT_FALSE(check.required);
  EXPECT_EQ(check.actual, to_rfc3339(kTime));
}

Verdict verdict_of(std::initializer_list<const char*> passing) {
  Verdict verdict;
  for (const char* id : passing) verdict.add(passed(id));
  return verdict;
}

State state_of(const Verdict& verdict, const char* id) { return verdict.find(id)->state; }

TEST(FileWords, ANonceOfTheFileCountsForNothing) {
  FileWords words{.saved_at = kTime, .nonce = ByteArray<32>{}};
  Policy policy;
  for (const bool required : {true, false}) {
    policy.require_nonce = required;
    Verdict verdict = verdict_of(
        {"report.nonce", "report_data.nonce", "nvidia.payload.nonce", "nvidia.gpu.0.nonce", "report_data.tls"});
    discount_file_words(words, policy, verdict);
    for (const char* id : {"report.nonce", "report_data.nonce", "nvidia.payload.nonce"}) {
      EXPECT_EQ(state_of(verdict, id), State::kSkipped) << id;
      EXPECT_EQ(verdict.find(id)->required, required) << id;
    }
    EXPECT_EQ(state_of(verdict, "nvidia.gpu.0.nonce"), State::kPass) << "it shows that GPU and quote belong together";
    EXPECT_EQ(state_of(verdict, "report_data.tls"), State::kPass) << "the file says nothing of a key";
    EXPECT_EQ(verdict.facts["file_says"]["nonce"], to_hex(*words.nonce));
  }
}

TEST(FileWords, OfAGpuAloneTheNonceIsFreshnessAndNothingElse) {
  Verdict verdict = verdict_of({"nvidia.gpu.0.nonce", "nvidia.gpu.1.nonce"});
  discount_file_words({.saved_at = kTime, .nonce = ByteArray<32>{}}, {}, verdict);
  EXPECT_EQ(state_of(verdict, "nvidia.gpu.0.nonce"), State::kSkipped);
  EXPECT_EQ(state_of(verdict, "nvidia.gpu.1.nonce"), State::kSkipped);
}

TEST(FileWords, AKeyThatTheFileHasSeenWasNotSeenHere) {
  Verdict verdict = verdict_of({"report_data.tls", "report_data.nonce"});
  discount_file_words({.saved_at = kTime, .nonce = {}, .tls_spki_sha256 = ByteArray<32>{}}, {}, verdict);
  EXPECT_EQ(state_of(verdict, "report_data.tls"), State::kSkipped);
  EXPECT_EQ(state_of(verdict, "report_data.nonce"), State::kPass) << "the person who asks named the nonce";
  EXPECT_EQ(verdict.facts["file_says"]["saved_at"], to_rfc3339(kTime));
}

TEST(FileWords, ABeginningCountsForWhomAsksAboutOne) {
  Verdict verdict = verdict_of({"receipt.prefix", "receipt.signature"});
  discount_file_words({.saved_at = kTime}, {}, verdict);
  EXPECT_EQ(state_of(verdict, "receipt.prefix"), State::kPass);
  discount_file_words({.saved_at = kTime, .beginning = true}, {}, verdict);
  EXPECT_EQ(state_of(verdict, "receipt.prefix"), State::kSkipped);
  EXPECT_TRUE(verdict.find("receipt.prefix")->required);
  EXPECT_EQ(state_of(verdict, "receipt.signature"), State::kPass);
}

TEST(FileWords, AFailureStays) {
  Verdict verdict;
  verdict.add(failed("report.nonce", "another"));
  discount_file_words({.saved_at = kTime, .nonce = ByteArray<32>{}}, {}, verdict);
  EXPECT_EQ(state_of(verdict, "report.nonce"), State::kFail);
}

}  // namespace
}  // namespace cloister::verify
