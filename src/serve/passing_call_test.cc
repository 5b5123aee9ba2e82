#include "serve/passing_call.h"

#include "evidence/aci/receipt.h"
#include "serve/testing/call_test_util.h"

namespace cloister::serve {
namespace {

const std::string kBody = R"({"model":"m","stream":true})";
const std::string kEvent = "data: {\"id\":\"theirs-1\",\"model\":\"said\",\"choices\":[{\"finish_reason\":\"stop\"}],"
                           "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";
const std::string kLast = "data: [DONE]\n\n";

engine::PassedHead streamed() {
  return {.status = 200, .headers = {{"x-ratelimit-a", "1"}, {"content-type", "text/event-stream; charset=utf-8"}}};
}
engine::PassedHead whole(int status, std::uint64_t length = 0) {
  return {.status = status, .headers = {{"content-type", "application/json"}}, .whole = true, .length = length};
}

using PassingCallTest = testing::CallTest<PassingCall, true>;

TEST_F(PassingCallTest, TheOtherServerGetsTheBodyAndLittleOfTheHead) {
  run(kBody,
      {{"content-type", "application/json"},
       {"accept", "*/*"},
       {"authorization", "Bearer secret"},
       {"anthropic-version", "2023-06-01"},
       {"openai-beta", "b"},
       {"cookie", "c"},
       {"x-forwarded-for", "192.0.2.7"}},
      "beta=true");
  ASSERT_TRUE(engine_.was_asked());
  const engine::EngineRequest& request = *engine_.request_;
  EXPECT_EQ(*request.body, kBody);
  EXPECT_EQ(request.body_sha256, crypto::sha256(as_bytes(kBody)));
  EXPECT_EQ(request.path, "/v1/chat/completions?beta=true");
  EXPECT_EQ(request.headers, (engine::HeaderList{{"content-type", "application/json"},
                                                 {"accept", "*/*"},
                                                 {"anthropic-version", "2023-06-01"},
                                                 {"openai-beta", "b"}}));
  EXPECT_TRUE(request.json.is_null()) << "the other server parses it";
  EXPECT_EQ(request.tenant, api::testing::test_owner(7));
}

TEST_F(PassingCallTest, AStreamIsPassedOnButForItsEnd) {
  store_.set_holds_put(true);
  run(kBody);
  engine_.sink().on_forwarded(ByteArray<32>{1});
  engine_.sink().on_forwarded(ByteArray<32>{2});  // a second server was asked
  engine_.sink().on_passed_head(streamed());
  EXPECT_EQ(exchange_->status(), 200);
  EXPECT_EQ(exchange_->content_type(), "text/event-stream; charset=utf-8");
  EXPECT_EQ(exchange_->headers().front(), (std::pair<std::string, std::string>{"x-ratelimit-a", "1"}));
  EXPECT_EQ(exchange_->header("cache-control"), "") << "this node adds none to another's head";
  for (const char byte : kEvent) engine_.sink().on_bytes({&byte, 1});
  EXPECT_EQ(exchange_->sent(), kEvent);
  engine_.sink().on_end({"length", {9, 9, 9}, nullptr}, kLast);
  ASSERT_TRUE(store_.wait_for_puts(1));
  EXPECT_EQ(exchange_->sent(), kEvent);
  store_.set_holds_put(false);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->sent(), kEvent + kLast);
  const Json stored = receipt();
  EXPECT_EQ(stored["model"], "m");
  EXPECT_EQ(stored["chat_id"], "theirs-1");
  EXPECT_EQ(entry(stored, evidence::kRequestForwarded)["body_hash"], "sha256:" + to_hex(ByteArray<32>{2}));
  EXPECT_EQ(entry(stored, evidence::kModelServed)["model_id"], "said");
  EXPECT_EQ(entry(stored, evidence::kModelServed)["model_id_source"], evidence::kToldByReply);
  EXPECT_EQ(entry(stored, evidence::kUsageMetered)["prompt_tokens"], 3) << "as the reply says, and nobody else";
  EXPECT_EQ(entry(stored, evidence::kUsageMetered)["finish_reason"], "stop");
  EXPECT_EQ(entry(stored, evidence::kEventsReturned)["count"], 2);
  EXPECT_EQ(counted(200), "1");
}

TEST_F(PassingCallTest, TheReadingOfAReplyIncludesItsLastBytes) {
  run(kBody);
  engine_.sink().on_passed_head(streamed());
  engine_.sink().on_end({}, "event: response.completed\ndata: {\"response\":{\"id\":\"resp_1\",\"model\":\"m\","
                            "\"usage\":{\"input_tokens\":4,\"output_tokens\":1}}}\n\n");
  ASSERT_TRUE(exchange_->wait_end());
  const Json stored = receipt();
  EXPECT_EQ(stored["chat_id"], "resp_1");
  EXPECT_EQ(entry(stored, evidence::kUsageMetered)["prompt_tokens"], 4);
}

TEST_F(PassingCallTest, AWholeErrorReplyIsPassedOn) {
  run(kBody);
  const std::string body = R"({"id":"theirs-1","model":"said","error":{"message":"no"}})";
  engine_.sink().on_forwarded(crypto::sha256(as_bytes(kBody)));
  engine_.sink().on_passed_head(whole(422, body.size()));
  engine_.sink().on_bytes(body);
  EXPECT_EQ(exchange_->status(), 0) << "it is collected";
  engine_.sink().on_end({}, "");
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 422);
  EXPECT_EQ(exchange_->sent(), body);
  EXPECT_FALSE(exchange_->is_streamed());
  const Json stored = receipt();
  EXPECT_EQ(stored["chat_id"], nullptr) << "an error is no chat";
  EXPECT_EQ(entry(stored, evidence::kModelServed)["model_id"], nullptr);
  EXPECT_FALSE(store_.record().legacy);
  EXPECT_EQ(counted(422), "1");
}

TEST_F(PassingCallTest, AnErrorReplacesWhatHasNotBeenSent) {
  for (const bool headed : {false, true}) {
    run(kBody);
    if (headed) engine_.sink().on_passed_head(whole(200, 100));
    if (headed) engine_.sink().on_bytes("{\"half\":");
    engine_.sink().on_error(fail(ErrorCode::kUpstreamBroken, "ended too early"));
    ASSERT_TRUE(exchange_->wait_end());
    EXPECT_EQ(exchange_->status(), 502);
    EXPECT_EQ(error_code(), error_id(ErrorCode::kUpstreamBroken));
  }
}

TEST_F(PassingCallTest, AStreamThatIsCutDoesNotLookWhole) {
  run(kBody);
  engine_.sink().on_forwarded(crypto::sha256(as_bytes(kBody)));
  engine_.sink().on_passed_head(streamed());
  engine_.sink().on_bytes(kEvent);
  engine_.sink().on_error(fail(ErrorCode::kUpstreamBroken, "ended too early"));
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_TRUE(exchange_->was_cut());
  EXPECT_EQ(exchange_->sent(), kEvent);
  const Json stored = receipt();
  EXPECT_EQ(entry(stored, evidence::kResponseAborted)["events"], 1);
  EXPECT_EQ(entry(stored, evidence::kModelServed)["model_id"], "said");
  EXPECT_EQ(entry(stored, evidence::kUsageMetered), nullptr) << "nobody said that it was whole";
}

TEST_F(PassingCallTest, AClientThatIsBehindHoldsTheServerBack) {
  run(kBody);
  EXPECT_FALSE(engine_.sink().is_behind());
  engine_.sink().on_passed_head(streamed());
  exchange_->fall_behind(128u << 10);
  EXPECT_FALSE(engine_.sink().is_behind());
  exchange_->fall_behind((128u << 10) + 1);
  EXPECT_TRUE(engine_.sink().is_behind());
  EXPECT_EQ(engine_.generation_->resumed, 0);
  exchange_->catch_up();
  EXPECT_FALSE(engine_.sink().is_behind());
  EXPECT_EQ(engine_.generation_->resumed, 1);
  const auto generation = engine_.generation_;
  engine_.sink().on_end({}, kLast);
  exchange_->catch_up();
  EXPECT_EQ(generation->resumed, 1) << "the reply is over";
}

TEST_F(PassingCallTest, WhatTheOtherServerCouldReadDifferentlyIsRefused) {
  struct Row {
    std::string body;
    std::string query;
    ErrorCode code;
  };
  const Row rows[] = {
      {kBody, "model=other", ErrorCode::kInvalidRequest},
      {R"({"model":"m","Model":"n"})", "", ErrorCode::kBadJson},
      {"[]", "", ErrorCode::kBadJson},
      {R"({"model":"other"})", "", ErrorCode::kModelNotFound},
  };
  for (const Row& row : rows) {
    run(row.body, {}, row.query);
    ASSERT_TRUE(exchange_->wait_end());
    EXPECT_EQ(error_code(), error_id(row.code)) << row.body;
    EXPECT_EQ(exchange_->status(), error_http_status(row.code));
  }
  EXPECT_FALSE(engine_.was_asked());
  engine_.models_.clear();
  run(kBody);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(error_code(), error_id(ErrorCode::kUpstreamUnreachable)) << "nobody knows yet what is served";
}

TEST_F(PassingCallTest, AFormWithFilesIsNotRead) {
  route_.takes_files = true;
  run("--x\r\nmodel=other", {{"content-type", "multipart/form-data; boundary=x"}});
  EXPECT_TRUE(engine_.was_asked());
  exchange_->leave();
  engine_.request_.reset();
  run("--x\r\nmodel=other", {{"content-type", "application/json"}});
  EXPECT_FALSE(engine_.was_asked());
}

TEST_F(PassingCallTest, AVerifiedServerCannotBeHad) {
  run(R"({"model":"m","provider":{"aci_verified":true}})");
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_GE(exchange_->status(), 400);
  EXPECT_FALSE(engine_.was_asked());
  EXPECT_NE(entry(receipt(), evidence::kRequestFailed), nullptr);
  run(R"({"model":"m","cache_salt":"s"})");
  EXPECT_TRUE(engine_.was_asked()) << "the engine knows whether the server takes a salt";
}

TEST_F(PassingCallTest, ACallThatIsAbandonedIsCancelledInEachPhase) {
  const auto waiting = make(kBody);
  exchange_->leave();
  waiting->run();
  EXPECT_FALSE(engine_.was_asked());
  EXPECT_EQ(abandoned(), "1");
  for (const int phase : {0, 1, 2}) {
    run(kBody);
    const auto generation = engine_.generation_;
    if (phase > 0) engine_.sink().on_passed_head(streamed());
    if (phase > 1) engine_.sink().on_bytes(kEvent);
    exchange_->leave();
    EXPECT_EQ(generation->cancelled, 1) << phase;
    EXPECT_EQ(exchange_->sent(), phase > 1 ? kEvent : "") << phase;
    EXPECT_FALSE(engine_.sink().is_behind());
  }
  EXPECT_EQ(abandoned(), "4");
}

TEST_F(PassingCallTest, AnEngineThatFailsWithinItsStartIsAnError) {
  engine_.while_starting_ = [this] { engine_.sink().on_error(fail(ErrorCode::kUpstreamUnreachable, "x")); };
  std::weak_ptr<PassingCall> weak;
  {
    const auto call = make(kBody);
    weak = call;
    call->run();
  }
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 502);
  engine_.forget();
  EXPECT_TRUE(weak.expired());
}

}  // namespace
}  // namespace cloister::serve
