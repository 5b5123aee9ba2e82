// Genuine dstack logs: every runtime digest is recomputed and every register replayed.
#include "evidence/event_log.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/tdx_quote.h"

namespace cloister::evidence {
namespace {

TEST(EventLog, WrittenFormHasTheFieldsOfDstack) {
  const Event event = runtime_event("compose-hash", Bytes{0xab, 0xcd});
  EXPECT_EQ(event.imr, 3);
  EXPECT_EQ(event.event_type, 134217729u);
  const Json json = event_log_json({event});
  EXPECT_EQ(json.dump(), R"([{"imr":3,"event_type":134217729,"digest":")" + to_hex(event.digest) +
                             R"(","event":"compose-hash","event_payload":"abcd"}])");
  EXPECT_EQ(event_log_json({}).dump(), "[]");
}

TEST(EventLog, NameAndPayloadBothCount) {
  EXPECT_NE(runtime_event_digest("a", Bytes{1}), runtime_event_digest("b", Bytes{1}));
  EXPECT_NE(runtime_event_digest("a", Bytes{1}), runtime_event_digest("a", Bytes{2}));
  EXPECT_NE(runtime_event_digest("a", {}), runtime_event_digest("", Bytes{'a'}));
}

// {"quote" or "intel_quote" as hex, "event_log" as an array or its text}
void expect_log_replays(const std::string& vector_name) {
  const Json report = Json::parse(testing::vector_text(vector_name));
  const Json log = report.at("event_log").is_string() ? Json::parse(report.at("event_log").get<std::string>())
                                                      : report.at("event_log");
  const auto quote = codec::parse_tdx_quote(*from_hex(report.at("quote").get<std::string>()));
  ASSERT_TRUE(quote) << quote.error().message;
  ByteArray<48> registers[4]{};
  int runtime_events = 0;
  for (const Json& entry : log) {
    const auto digest = from_hex_exactly<48>(entry.at("digest").get<std::string>());
    ASSERT_TRUE(digest);
    const int imr = entry.at("imr");
    ASSERT_LT(imr, 4);
    registers[imr] = extend(registers[imr], *digest);
    if (entry.at("event_type") != kRuntimeEventType) continue;
    ++runtime_events;
    const Bytes payload = *from_hex(entry.at("event_payload").get<std::string>());
    EXPECT_EQ(runtime_event_digest(entry.at("event").get<std::string>(), payload), *digest) << entry.at("event");
  }
  EXPECT_GE(runtime_events, 5);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(to_hex(registers[i]), to_hex(quote->report.rtmr[i])) << "RTMR" << i;
}

TEST(EventLog, GenuineLogsReplayToTheirQuotes) {
  expect_log_replays("dstack/rtmr3_example.report.json");
  expect_log_replays("dstack/quote_report_90c06f.json");
}

}  // namespace
}  // namespace cloister::evidence
