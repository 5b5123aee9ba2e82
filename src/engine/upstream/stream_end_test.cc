#include "engine/upstream/stream_end.h"

#include <gtest/gtest.h>

namespace cloister::engine::upstream {
namespace {

bool whole(bool events, bool framed, std::string_view text, std::size_t piece) {
  StreamEnd end;
  end.begin(events, framed);
  for (std::size_t at = 0; at < text.size(); at += piece) end.feed(text.substr(at, piece));
  return end.whole();
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
    EXPECT_TRUE(whole(true, false, "data: {}\n\ndata: [DONE]\n\n", piece));
    EXPECT_TRUE(whole(true, false, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", piece));
    EXPECT_FALSE(whole(true, false, "data: {}\n\n", piece));
    EXPECT_FALSE(whole(true, false, "data: [DONE]", piece));
  }
  EXPECT_FALSE(whole(false, false, "{\"a\":1}", 10));
  EXPECT_TRUE(whole(false, true, "any bytes", 10));
}

}  // namespace
}  // namespace cloister::engine::upstream
