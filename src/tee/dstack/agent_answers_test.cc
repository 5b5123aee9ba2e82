#include "tee/dstack/agent_answers.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "codec/json.h"

namespace cloister::tee {
namespace {

std::string signature(char digit) { return std::string(130, digit); }

TEST(AgentAnswers, AQuoteAndItsLog) {
  const evidence::Event event = evidence::runtime_event("app-id", as_bytes("payload"));
  Json log = evidence::event_log_json({event});
  log[0]["digest"] = "";  // as agents strip it
  const auto quote = parse_quote_answer(Json{{"quote", "0400ff"}, {"event_log", log.dump()}, {"more", 1}}.dump());
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_EQ(to_hex(quote->quote), "0400ff");
  ASSERT_EQ(quote->events.size(), 1u);
  EXPECT_EQ(quote->events[0].digest, event.digest);
}

TEST(AgentAnswers, ASecondVersionEventKeepsWhatItsDigestIsMadeOf) {
  const std::string text = evidence::runtime_event_text_v2("app-id", Bytes{1});
  const Json entry = {
      {"imr", 3},     {"event_type", 134217729},           {"digest", ""}, {"event", "app-id"}, {"event_payload", "01"},
      {"version", 2}, {"preimage", to_hex(as_bytes(text))}};
  const auto quote = parse_quote_answer(Json{{"quote", "04"}, {"event_log", Json::array({entry}).dump()}}.dump());
  ASSERT_TRUE(quote) << quote.error().message;
  const Json written = evidence::event_log_json(quote->events);
  EXPECT_EQ(written[0]["version"], 2);
  EXPECT_EQ(written[0]["preimage"], to_hex(as_bytes(text)));
  const auto again = evidence::parse_event_log(written.dump());
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)[0].digest, quote->events[0].digest);
}

TEST(AgentAnswers, BadQuotes) {
  for (const char* body : {"", "[]", "null", "{}", R"({"quote":1,"event_log":""})", R"({"quote":"0g","event_log":""})",
                           R"({"quote":"04"})", R"({"quote":"04","event_log":[]})",
                           R"({"quote":"04","event_log":"{}"})", R"({"quote":"04","event_log":"[{}]"})",
                           R"({"quote":"04","event_log":""}x)", R"({"quote":"04","quote":"05","event_log":""})"}) {
    const auto quote = parse_quote_answer(body);
    ASSERT_FALSE(quote) << body;
    EXPECT_EQ(quote.error().code, ErrorCode::kTeeFailed) << body;
  }
  // This is the answer of an agent outside TDX.
  EXPECT_EQ(parse_quote_answer(R"({"quote":"","event_log":"","attestation":"00"})").error().code,
            ErrorCode::kUnsupported);
  const std::string large(2 * (256u << 10) + 2, '0');
  EXPECT_REFUSED(parse_quote_answer(Json{{"quote", large}, {"event_log", ""}}.dump()),
                 "the dstack guest agent's answer: quote: longer than 262144 bytes");
}

TEST(AgentAnswers, KeysOfBothGenerations) {
  const Json chain = {signature('a'), signature('B')};
  for (const auto& [key, list] : {std::pair{"key", "signature_chain"}, {"k256_key", "k256_signature_chain"}}) {
    const auto answer = parse_key_answer(Json{{key, std::string(64, '7')}, {list, chain}}.dump());
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(to_hex(answer->secret.expose()), std::string(64, '7'));
    EXPECT_EQ(answer->signature_chain, (std::vector<std::string>{signature('a'), signature('b')}));
  }
}

TEST(AgentAnswers, BadKeysAreRefusedAndNotRepeated) {
  const std::string key(64, '7');
  const Json chain = {signature('a'), signature('b')};
  for (const Json& body :
       {Json{{"key", key}}, Json{{"key", key}, {"signature_chain", Json::array({signature('a')})}},
        Json{{"key", key}, {"signature_chain", Json::array({1, 2})}}, Json{{"signature_chain", chain}},
        Json{{"key", key}, {"signature_chain", Json::array({signature('a'), "bb"})}},
        Json{{"key", key + "77"}, {"signature_chain", chain}}, Json{{"key", key + "x"}, {"signature_chain", chain}},
        Json{{"key", Json::array({key})}, {"signature_chain", chain}}, Json(Json::array({key}))}) {
    const auto answer = parse_key_answer(body.dump());
    ASSERT_FALSE(answer) << body.dump();
    EXPECT_EQ(answer.error().message.find("777"), std::string::npos) << answer.error().message;
  }
}

TEST(AgentAnswers, InfoComesWithItsTcbInfoAsTextOrObject) {
  const Json tcb = {{"mrtd", "00"}, {"event_log", evidence::event_log_json({evidence::runtime_event("a", {})})}};
  for (const Json& inner : {tcb, Json(tcb.dump())}) {
    const auto info = parse_info_answer(Json{{"app_id", "ab"}, {"tcb_info", inner}, {"vm_config", "{\"x\":1}"}}.dump());
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->info.info["tcb_info"]["mrtd"], "00");
    EXPECT_EQ(info->info.vm_config, "{\"x\":1}");
    EXPECT_EQ(info->events.size(), 1u);
  }
  const auto hidden = parse_info_answer(R"({"app_id":"ab","tcb_info":"","vm_config":""})");
  ASSERT_TRUE(hidden) << hidden.error().message;
  EXPECT_TRUE(hidden->info.info["tcb_info"].is_object());
  EXPECT_EQ(hidden->info.vm_config, "{}");
}

TEST(AgentAnswers, BadInfo) {
  for (const char* body :
       {"{}", R"({"tcb_info":1})", R"({"tcb_info":"x"})", R"({"tcb_info":"[]"})", R"({"tcb_info":"","app_id":1})",
        R"({"tcb_info":{"event_log":1}})", R"({"tcb_info":{"event_log":[{"imr":9}]}})"}) {
    EXPECT_FALSE(parse_info_answer(body)) << body;
  }
}

TEST(AgentAnswers, VersionsAndReasonsAreBoundedAndPrintable) {
  EXPECT_EQ(*parse_version_answer(R"({"version":"0.5.5","rev":"x"})"), "0.5.5");
  EXPECT_REFUSED(parse_version_answer(R"({"version":"a\nb"})"),
                 "the dstack guest agent's answer: version: expected at most 64 printable characters");
  EXPECT_REFUSED(parse_version_answer(Json{{"version", std::string(65, 'x')}}.dump()),
                 "the dstack guest agent's answer: version: expected at most 64 printable characters");
  EXPECT_EQ(parse_error_answer(R"({"error":"a\nb"})"), "a?b");
  EXPECT_EQ(parse_error_answer(Json{{"error", std::string(300, 'x')}}.dump()).size(), 200u);
  EXPECT_EQ(parse_error_answer("<html>"), "");
}

}  // namespace
}  // namespace cloister::tee
