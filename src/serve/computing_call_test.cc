#include "serve/computing_call.h"

#include "evidence/aci/receipt.h"
#include "serve/testing/call_test_util.h"

namespace cloister::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kBody = R"({"model":"m","messages":[{"role":"user","content":"x"}]})";
const std::string kStreamed = R"({"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]})";
const std::string kEvent = "data: {\"a\":1}\n\n", kLast = "data: [DONE]\n\n", kComment = ": nothing yet\n\n";
const engine::Outcome kOutcome = {"stop", {3, 0, 2}, nullptr};

using ComputingCallTest = testing::CallTest<ComputingCall, false>;

TEST_F(ComputingCallTest, ABufferedReplyIsOneBody) {
  run(kBody, {{"content-type", "application/json"}});
  ASSERT_TRUE(engine_.was_asked());
  const engine::EngineRequest& request = *engine_.request_;
  EXPECT_EQ(*request.body, kBody);
  EXPECT_EQ(request.json["model"], "m");
  EXPECT_EQ(request.body_sha256, crypto::sha256(as_bytes(kBody)));
  EXPECT_EQ(request.tenant, api::testing::test_owner(7));
  EXPECT_FALSE(request.stream);
  EXPECT_TRUE(request.id.starts_with("chatcmpl-"));
  EXPECT_EQ(exchange_->request().body, "") << "the body does not stay in memory twice";
  engine_.sink().on_start("application/json");
  engine_.sink().on_bytes("{\"a\":");
  EXPECT_EQ(exchange_->status(), 0);
  engine_.sink().on_end(kOutcome, "1}");
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 200);
  EXPECT_EQ(exchange_->sent(), "{\"a\":1}");
  EXPECT_EQ(exchange_->content_type(), "application/json");
  EXPECT_EQ(exchange_->header("x-request-id"), request.id);
  const Json stored = receipt();
  EXPECT_EQ(stored["chat_id"], request.id);
  EXPECT_EQ(entry(stored, evidence::kRequestForwarded)["body_hash"], digest_of(kBody));
  EXPECT_EQ(entry(stored, evidence::kResponseReturned)["body_hash"], digest_of("{\"a\":1}"));
  EXPECT_EQ(entry(stored, evidence::kModelServed)["model_id"], "m");
  EXPECT_EQ(entry(stored, evidence::kUsageMetered)["prompt_tokens"], 3);
  EXPECT_EQ(entry(stored, evidence::kUsageMetered)["finish_reason"], "stop");
  EXPECT_EQ(counted(200), "1");
  EXPECT_EQ(timer_.waiting(), 0u) << "only a stream shows that it is alive";
}

TEST_F(ComputingCallTest, AStreamIsSentAsItComesButForItsEnd) {
  store_.set_holds_put(true);
  run(kStreamed);
  EXPECT_TRUE(engine_.request_->stream);
  engine_.sink().on_start("text/event-stream");
  EXPECT_EQ(exchange_->status(), 200);
  engine_.sink().on_bytes(kEvent);
  EXPECT_EQ(exchange_->sent(), kEvent);
  engine_.sink().on_end(kOutcome, kLast);
  ASSERT_TRUE(store_.wait_for_puts(1));
  EXPECT_EQ(exchange_->sent(), kEvent);
  store_.set_holds_put(false);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->sent(), kEvent + kLast);
  EXPECT_EQ(entry(receipt(), evidence::kEventsReturned)["count"], 2);
}

TEST_F(ComputingCallTest, WhatThisNodeCannotDoIsRefusedBeforeTheEngine) {
  struct Row {
    std::string body;
    ErrorCode code;
  };
  const Row rows[] = {
      {"{", ErrorCode::kBadJson},
      {R"({"model":"other"})", ErrorCode::kModelNotFound},
  };
  for (const Row& row : rows) {
    run(row.body);
    ASSERT_TRUE(exchange_->wait_end());
    EXPECT_EQ(error_code(), error_id(row.code)) << row.body;
    EXPECT_EQ(exchange_->status(), error_http_status(row.code));
    EXPECT_NE(exchange_->header("x-receipt-id"), "");
  }
  EXPECT_FALSE(engine_.was_asked());
}

TEST_F(ComputingCallTest, ARefusalHasAReceiptThatNamesNoComputation) {
  run(R"({"model":"m","cache_salt":"s"})");
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 400);
  EXPECT_FALSE(engine_.was_asked());
  const Json stored = receipt();
  EXPECT_EQ(stored["model"], "m");
  EXPECT_NE(entry(stored, evidence::kRequestFailed), nullptr);
  EXPECT_EQ(entry(stored, evidence::kRequestForwarded), nullptr);
}

TEST_F(ComputingCallTest, AnEngineThatLoadsIsNotAsked) {
  engine_.health_ = engine::Health::kLoading;
  run(kBody);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(error_code(), error_id(ErrorCode::kEngineLoading));
  EXPECT_FALSE(engine_.was_asked());
}

TEST_F(ComputingCallTest, AnEngineThatRefusesWasNotGivenThePrompt) {
  engine_.refusal_ = fail(ErrorCode::kInvalidRequest, "temperature");
  run(kStreamed);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(error_code(), error_id(ErrorCode::kInvalidRequest));
  const Json stored = receipt();
  EXPECT_EQ(stored["chat_id"], nullptr);
  EXPECT_EQ(entry(stored, evidence::kRequestForwarded), nullptr);
  timer_.advance(seconds(60));
  EXPECT_EQ(timer_.waiting(), 0u) << "nothing watches a stream that never was";
}

TEST_F(ComputingCallTest, AnErrorBeforeTheStartIsTheReply) {
  for (const std::string& body : {kBody, kStreamed}) {
    run(body);
    engine_.sink().on_error(fail(ErrorCode::kContextLength, "too long"));
    ASSERT_TRUE(exchange_->wait_end());
    EXPECT_EQ(exchange_->status(), error_http_status(ErrorCode::kContextLength));
    EXPECT_EQ(error_code(), error_id(ErrorCode::kContextLength));
    EXPECT_FALSE(exchange_->is_streamed());
    timer_.advance(seconds(60));
    EXPECT_EQ(timer_.waiting(), 0u);
  }
}

TEST_F(ComputingCallTest, AnErrorAfterTheStartEndsAStream) {
  run(kStreamed);
  engine_.sink().on_start("text/event-stream");
  engine_.sink().on_bytes(kEvent);
  engine_.sink().on_error(fail(ErrorCode::kEngineFailed, "x"));
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->sent(), kEvent);
  EXPECT_FALSE(exchange_->was_cut()) << "the error event is its end";
  EXPECT_EQ(entry(receipt(), evidence::kRequestFailed)["code"], error_id(ErrorCode::kEngineFailed));
}

TEST_F(ComputingCallTest, AnErrorReplacesABodyThatIsNotWhole) {
  run(kBody);
  engine_.sink().on_start("application/json");
  engine_.sink().on_bytes("{\"half\":");
  engine_.sink().on_error(fail(ErrorCode::kEngineFailed, "x"));
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->sent().find("half"), std::string::npos) << exchange_->sent();
  EXPECT_EQ(error_code(), error_id(ErrorCode::kEngineFailed));
}

TEST_F(ComputingCallTest, ASilentStreamBeginsAfterASecond) {
  run(kStreamed);
  timer_.advance(milliseconds(999));
  EXPECT_EQ(exchange_->status(), 0);
  timer_.advance(milliseconds(1));
  EXPECT_EQ(exchange_->status(), 200);
  EXPECT_EQ(exchange_->content_type(), "text/event-stream");
  EXPECT_EQ(exchange_->sent(), "");
  engine_.sink().on_start("text/event-stream");
  engine_.sink().on_bytes(kEvent);
  engine_.sink().on_end(kOutcome, kLast);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->sent(), kEvent + kLast);
}

TEST_F(ComputingCallTest, AnErrorOfASilentStreamCannotBeAReplyAnyMore) {
  run(kStreamed);
  timer_.advance(seconds(1));
  engine_.sink().on_error(fail(ErrorCode::kContextLength, "too long"));
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 200);
  EXPECT_EQ(exchange_->sent(), "");
  EXPECT_EQ(entry(receipt(), evidence::kRequestFailed)["code"], error_id(ErrorCode::kContextLength));
}

// The checks come every five seconds, so a comment comes after ten to fifteen seconds without bytes.
TEST_F(ComputingCallTest, ASilentStreamSaysThatItIsAlive) {
  run(kStreamed);
  engine_.sink().on_start("text/event-stream");
  timer_.advance(seconds(10));
  EXPECT_EQ(exchange_->sent(), "");
  engine_.sink().on_bytes(kEvent);
  timer_.advance(seconds(10));
  EXPECT_EQ(exchange_->sent(), kEvent) << "what was sent ten seconds ago is no silence";
  timer_.advance(seconds(5));
  EXPECT_EQ(exchange_->sent(), kEvent + kComment);
  timer_.advance(seconds(10));
  EXPECT_EQ(exchange_->sent(), kEvent + kComment + kComment) << "every ten seconds";
  engine_.sink().on_end(kOutcome, kLast);
  ASSERT_TRUE(exchange_->wait_end());
  timer_.advance(seconds(60));
  EXPECT_EQ(exchange_->sent(), kEvent + kComment + kComment + kLast);
  EXPECT_EQ(timer_.waiting(), 0u);
  EXPECT_EQ(entry(receipt(), evidence::kEventsReturned)["count"], 4) << "a comment is an event of the receipt";
}

TEST_F(ComputingCallTest, ACallThatIsAbandonedBeforeItsTurnAsksNoEngine) {
  const auto call = make(kBody);
  exchange_->leave();
  call->run();
  EXPECT_FALSE(engine_.was_asked());
  EXPECT_EQ(abandoned(), "1");
  EXPECT_NE(entry(receipt(), evidence::kResponseAborted), nullptr);
}

TEST_F(ComputingCallTest, ACallThatIsAbandonedWhileItsEngineStartsIsCancelled) {
  engine_.while_starting_ = [this] { exchange_->leave(); };
  run(kStreamed);
  EXPECT_EQ(engine_.generation_->cancelled, 1);
  EXPECT_EQ(timer_.waiting(), 0u);
}

TEST_F(ComputingCallTest, ACallThatIsAbandonedBeforeTheHeadOrInTheMiddleIsCancelled) {
  for (const bool begun : {false, true}) {
    run(kStreamed);
    const auto generation = engine_.generation_;
    if (begun) engine_.sink().on_start("text/event-stream");
    if (begun) engine_.sink().on_bytes(kEvent);
    exchange_->leave();
    EXPECT_EQ(generation->cancelled, 1);
    // A call that was running in the engine's thread at that moment.
    engine_.sink().on_bytes(kEvent);
    engine_.sink().on_end(kOutcome, kLast);
    timer_.advance(seconds(60));
    EXPECT_EQ(exchange_->sent(), begun ? kEvent : "");
    EXPECT_EQ(timer_.waiting(), 0u);
  }
  EXPECT_EQ(abandoned(), "2");
}

TEST_F(ComputingCallTest, AClientThatLeavesAfterTheEndCancelsNothing) {
  store_.set_holds_put(true);
  run(kStreamed);
  const auto generation = engine_.generation_;
  engine_.sink().on_start("text/event-stream");
  engine_.sink().on_end(kOutcome, kLast);
  ASSERT_TRUE(store_.wait_for_puts(1));
  exchange_->leave();
  EXPECT_EQ(generation->cancelled, 0);
  store_.set_holds_put(false);
  EXPECT_EQ(entry(receipt(), evidence::kResponseAborted), nullptr) << "the reply was whole";
}

TEST_F(ComputingCallTest, ACallLivesAsLongAsItsEngine) {
  for (const bool ends : {false, true}) {
    std::weak_ptr<ComputingCall> weak;
    {
      const auto call = make(kStreamed);
      weak = call;
      call->run();
    }
    EXPECT_FALSE(weak.expired());
    if (ends) engine_.sink().on_start("text/event-stream");
    if (ends) engine_.sink().on_end(kOutcome, kLast);
    if (!ends) exchange_->leave();
    engine_.forget();
    EXPECT_TRUE(weak.expired());
    timer_.advance(seconds(60));
    EXPECT_EQ(timer_.waiting(), 0u);
  }
}

TEST_F(ComputingCallTest, ABufferedReplyOfAnEngineMayComeFromWithinItsStart) {
  engine_.while_starting_ = [this] {
    engine_.sink().on_start("application/json");
    engine_.sink().on_end({}, "{}");
  };
  std::weak_ptr<ComputingCall> weak;
  {
    const auto call = make(kBody);
    weak = call;
    call->run();
  }
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->sent(), "{}");
  engine_.forget();
  EXPECT_TRUE(weak.expired()) << "the generation that came back later is not kept";
}

}  // namespace
}  // namespace cloister::serve
