#include "verify/connection.h"

#include <gtest/gtest.h>

namespace cloister::verify {
namespace {

Verdict judge(Channel channel) {
  Verdict verdict;
  check_connection(channel, verdict);
  EXPECT_EQ(verdict.checks.size(), 1u);
  EXPECT_EQ(verdict.checks.front().id, "connection.encryption");
  EXPECT_FALSE(verdict.checks.front().required);
  return verdict;
}

TEST(Connection, PlainHttpToAnotherMachineIsNoPass) {
  const Verdict verdict = judge(Channel::kInsecureHttp);
  EXPECT_EQ(verdict.find("connection.encryption")->state, State::kSkipped);
  EXPECT_EQ(verdict.facts["connection"], "insecure_http");
}

TEST(Connection, WhatNobodyElseReadsPassesAndDecidesNothing) {
  for (const auto& [channel, fact] :
       {std::pair{Channel::kTls, "tls"}, std::pair{Channel::kThisMachine, "this_machine"}}) {
    const Verdict verdict = judge(channel);
    EXPECT_EQ(verdict.find("connection.encryption")->state, State::kPass);
    EXPECT_EQ(verdict.facts["connection"], fact);
    EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << "alone it proves nothing";
  }
}

}  // namespace
}  // namespace cloister::verify
