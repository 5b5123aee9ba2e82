#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/event_log.h"

namespace cloister::evidence {
namespace {

Json entry() { return event_log_json({runtime_event("compose-hash", Bytes{1, 2})})[0]; }

Json boot_entry(int imr) {
  return {{"imr", imr}, {"event_type", 4}, {"digest", std::string(96, 'a')}, {"event", ""}, {"event_payload", ""}};
}

Result<std::vector<LoggedEvent>> parse(const Json& log) { return parse_event_log(log.dump()); }

TEST(EventLogParse, ArrayOrStringThatHoldsOne) {
  const Json log = Json::array({boot_entry(0), entry()});
  for (const std::string& text : {log.dump(), Json(log.dump()).dump()}) {
    const auto events = parse_event_log(text);
    ASSERT_TRUE(events) << events.error().message;
    ASSERT_EQ(events->size(), 2u);
    EXPECT_FALSE((*events)[0].is_runtime());
    EXPECT_TRUE((*events)[1].is_runtime());
    EXPECT_EQ((*events)[1].name, "compose-hash");
    EXPECT_EQ((*events)[1].payload, (Bytes{1, 2}));
    EXPECT_EQ(*(*events)[1].digest, runtime_event_digest("compose-hash", Bytes{1, 2}));
  }
  EXPECT_TRUE(parse_event_log("[]"));
}

TEST(EventLogParse, WhatIsNoLogIsRefused) {
  for (const char* text : {"", "{}", "null", "1", "\"\"", "\"{}\"", "\"\\\"[]\\\"\"", "[1]", "[[]]", "[{}]", "[] x"}) {
    EXPECT_FALSE(parse_event_log(text)) << text;
  }
}

TEST(EventLogParse, EachMemberIsChecked) {
  const struct {
    const char* member;
    Json value;
    const char* complaint;
  } cases[] = {
      {"imr", 4, "imr: expected at most 3"},
      {"imr", -1, "imr: expected a whole number"},
      {"imr", 3.0, "imr: expected a whole number"},
      {"imr", "3", "imr: expected a whole number"},
      {"imr", nullptr, "imr: missing"},
      {"imr", 2, "a runtime event belongs in register 3"},
      {"event_type", 4, "event_type: register 3 holds runtime events"},
      {"event_type", 0x08000002, "event_type: register 3 holds runtime events"},
      {"event_type", 4294967296, "event_type: expected at most"},
      {"digest", std::string(94, 'a'), "digest: expected 96 hex"},
      {"digest", std::string(98, 'a'), "digest: expected 96 hex"},
      {"digest", std::string(96, 'g'), "digest"},
      {"digest", 1, "digest: expected a string"},
      {"event", Json::array(), "event: expected a string"},
      {"event_payload", "abc", "event_payload"},
      {"event_payload", std::string(131074, 'a'), "event_payload: longer"},
      {"version", 0, "version: expected 1 or 2"},
      {"version", 3, "version: expected at most 2"},
      {"preimage", 7, "preimage: expected a string"},
  };
  for (const auto& wrong : cases) {
    Json changed = entry();
    changed[wrong.member] = wrong.value;
    const auto events = parse(Json::array({changed}));
    ASSERT_FALSE(events) << wrong.member << wrong.value;
    EXPECT_NE(events.error().message.find(wrong.complaint), std::string::npos) << events.error().message;
  }
}

TEST(EventLogParse, OnlyRuntimeEventsMayLackADigest) {
  Json stripped = entry();
  stripped["digest"] = "";
  const auto events = parse(Json::array({stripped}));
  ASSERT_TRUE(events);
  EXPECT_FALSE((*events)[0].digest);
  Json boot = boot_entry(1);
  boot["digest"] = "";
  EXPECT_REFUSED(parse(Json::array({boot})), "event log entry 0: digest: missing");
}

TEST(EventLogParse, TooManyEntriesAreRefused) {
  Json log = Json::array();
  for (int i = 0; i < 4096; ++i) log.push_back(boot_entry(0));
  EXPECT_TRUE(parse(log));
  log.push_back(boot_entry(0));
  EXPECT_REFUSED(parse(log), "event log: more than 4096 entries");
  EXPECT_REFUSED(parse_event_log("[" + std::string(4u << 20, ' ') + "]"),
                 "event log: expected at most 4194304 bytes of JSON, got 4194306");
}

TEST(EventLogParse, DuplicateMembersAreRefused) {
  EXPECT_REFUSED(parse_event_log(R"([{"imr":3,"imr":3,"event_type":134217729,"event":"a","event_payload":""}])"),
                 "event log: an object has two members of the same name");
}

TEST(RuntimeEvent, Version2IsTheCanonicalText) {
  LoggedEvent event;
  event.event_type = kRuntimeEventType;
  event.imr = 3;
  event.version = 2;
  event.name = "compose-hash";
  event.payload = {0xDE, 0xAD};
  const auto preimage = runtime_event_preimage(event);
  ASSERT_TRUE(preimage);
  EXPECT_EQ(as_text(*preimage), R"({"name":"compose-hash","payload":"dead","type":134217729})");
  event.name = "a\"b";
  EXPECT_REFUSED(runtime_event_preimage(event),
                 "the name of a version 2 event is not plain: its text is not reproduced here");
  event.version = 1;
  EXPECT_TRUE(runtime_event_preimage(event));
}

TEST(RuntimeEvent, PlainNames) {
  for (const char* name : {"app-id", "LIUM_MINER_HOTKEY", "a.b", "0"}) EXPECT_TRUE(is_plain_event_name(name)) << name;
  for (const std::string& name : {std::string(), std::string("a:b"), std::string("a b"), std::string("\xc3\xa4"),
                                  std::string("a\0b", 3), std::string(129, 'a')}) {
    EXPECT_FALSE(is_plain_event_name(name)) << name;
  }
}

TEST(RuntimeEvent, AnEntryIsPassedOnAsItIs) {
  const auto one = [](const char* text) { return std::move(parse_event_log(text)->front()); };
  // A digest that was stripped is computed again; an existing one is kept, even if it is wrong.
  const char* const stripped = R"([{"imr":3,"event_type":134217729,"digest":"","event":"a","event_payload":"01"}])";
  EXPECT_EQ(to_event(one(stripped))->digest, runtime_event_digest("a", Bytes{1}));
  LoggedEvent wrong = one(stripped);
  wrong.digest = ByteArray<48>{9};
  EXPECT_EQ(to_event(wrong)->digest, ByteArray<48>{9});
  // Version 2 stays version 2, with its pre-image; version 1 is written as before.
  LoggedEvent second = one(stripped);
  second.version = 2;
  second.preimage = Bytes{1, 2};
  const auto event = to_event(second);
  ASSERT_TRUE(event);
  const Json written = event_log_json({*event, *to_event(one(stripped))});
  EXPECT_EQ(written[0]["version"], 2);
  EXPECT_EQ(written[0]["preimage"], "0102");
  EXPECT_EQ(written[1].size(), 5u);
  // This name has a text that cannot be rebuilt.
  second.name = "a\"b";
  EXPECT_REFUSED(to_event(second), "the name of a version 2 event is not plain: its text is not reproduced here");
}

TEST(Replay, StartsFromZerosAndKeepsRegistersApart) {
  EXPECT_EQ(replay({})[2], ByteArray<48>{});
  ByteArray<48> digest{};
  digest.fill(7);
  const auto registers = replay({{1, digest}, {1, digest}, {3, digest}});
  EXPECT_EQ(registers[0], ByteArray<48>{});
  EXPECT_EQ(registers[3], extend({}, digest));
  EXPECT_EQ(registers[1], extend(extend({}, digest), digest));
}

TEST(EventLogParse, GenuineLogsAreRead) {
  for (const char* file :
       {"dstack/quote_report_90c06f.json", "dstack/rtmr3_example.report.json", "reports/dstack_quote.json"}) {
    const Json report = *codec::parse_json(testing::vector_text(file));
    const auto events = parse_event_log(report["event_log"].get<std::string>());
    ASSERT_TRUE(events) << file << events.error().message;
    EXPECT_GT(events->size(), 25u);
  }
}

}  // namespace
}  // namespace cloister::evidence
