#include "engine/dialect/stream_end.h"

#include <gtest/gtest.h>

namespace cloister::engine {
namespace {

struct Read {
  bool whole = false;
  std::string passed;
  std::string held;
};

Read read(bool events, bool framed, std::string_view text, std::size_t piece) {
  StreamEnd end;
  end.begin(events, framed);
  Read out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const StreamEnd::Passed passed = end.feed(text.substr(at, piece));
    out.passed.append(passed.before).append(passed.bytes);
    // Nothing is lost, and nothing is kept but what may be the end.
    EXPECT_EQ(out.passed + std::string(end.held()), text.substr(0, at + piece));
  }
  out.whole = end.whole();
  out.held = end.held();
  return out;
}

bool whole(bool events, bool framed, std::string_view text, std::size_t piece) {
  return read(events, framed, text, piece).whole;
}

// The last events of the three dialects, in the forms that servers write.
const std::string kLastEvents[] = {
    "data: [DONE]\n\n",
    "data:[DONE]\r\n\r\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    "event:message_stop\rdata: {}\r\r",
    "event: response.completed\ndata: {\"response\":{\"output\":[]}}\n\n",
    "event: response.failed\ndata: {}\n\n",
    "event: response.incomplete\ndata: {}\n\n",
    "event:response.failed\ndata: {}\n\n",
};
const std::string kBefore =
    "event: response.created\ndata: {\"a\":1}\n\n: ping\n\ndata: {\"text\":\"data: [DONE]\"}\n\n";

TEST(StreamEnd, TheLastEventIsHeldBackWhateverThePieces) {
  for (const std::string& last : kLastEvents) {
    for (std::size_t piece = 1; piece <= kBefore.size() + last.size(); ++piece) {
      const Read got = read(true, true, kBefore + last, piece);
      EXPECT_EQ(got.passed, kBefore) << piece;
      EXPECT_EQ(got.held, last) << piece;
      EXPECT_TRUE(got.whole);
    }
  }
}

TEST(StreamEnd, WhatFollowsTheLastEventIsHeldBackToo) {
  for (const std::size_t piece : {1u, 5u, 14u, 15u, 4096u}) {
    const Read got = read(true, true, "data: {}\n\ndata: [DONE]\n\ndata: {}\n\n", piece);
    EXPECT_EQ(got.passed, "data: {}\n\n");
    EXPECT_EQ(got.held, "data: [DONE]\n\ndata: {}\n\n");
  }
}

TEST(StreamEnd, OnlyALineThatBeginsAsOneIsALastEvent) {
  for (const std::string text : {"data: {\"text\":\"data: [DONE]\"}\n\n", "event: message_start\ndata: {}\n\n",
                                 "event: response.complex\n\n", "event: error\ndata: {}\n\n", "data: [DON\n\n",
                                 "data:\ndata:\n\n", "xdata: [DONE]\n\n", "id: event: message_stop\n\n"}) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      const Read got = read(true, true, text, piece);
      EXPECT_EQ(got.passed, text) << piece;
      EXPECT_EQ(got.held, "");
      EXPECT_FALSE(whole(true, false, text, piece));
    }
  }
}

TEST(StreamEnd, OtherBodiesPassUnchanged) {
  const Read got = read(false, true, "data: [DONE]\n\n", 5);
  EXPECT_EQ(got.passed, "data: [DONE]\n\n");
}

TEST(StreamEnd, EventsEndWithAnEmptyLine) {
  const std::string long_event = "data: {\"text\":\"" + std::string(500, 'x') + "\"}";
  for (std::size_t piece : {1u, 3u, 50u, 4096u}) {
    EXPECT_TRUE(whole(true, true, long_event + "\n\ndata: [DONE]\n\n", piece));
    EXPECT_TRUE(whole(true, true, "data: x\r\n\r\n", piece));
    EXPECT_TRUE(whole(true, true, "data: x\r\r", piece));
    EXPECT_TRUE(whole(true, true, "", piece));
    EXPECT_FALSE(whole(true, true, "data: x\n\ndata: {\"cut", piece));
    EXPECT_FALSE(whole(true, true, "data: x\n", piece));
    EXPECT_FALSE(whole(true, true, "data: x\r\n", piece));
    EXPECT_FALSE(whole(true, true, long_event, piece));
  }
}

TEST(StreamEnd, WithoutFramingTheLastEventHasToBeThere) {
  for (std::size_t piece : {1u, 7u, 4096u}) {
    for (const std::string& last : kLastEvents) EXPECT_TRUE(whole(true, false, kBefore + last, piece)) << last;
    EXPECT_FALSE(whole(true, false, "data: {}\n\n", piece));
    EXPECT_FALSE(whole(true, false, "data: [DONE]", piece));
  }
  EXPECT_FALSE(whole(false, false, "{\"a\":1}", 10));
  EXPECT_TRUE(whole(false, true, "any bytes", 10));
}

}  // namespace
}  // namespace cloister::engine
