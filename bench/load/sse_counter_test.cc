#include "load/sse_counter.h"

#include <gtest/gtest.h>

namespace cloister::bench {
namespace {

constexpr std::string_view kStream = ": hello\n\n"
                                     "data: {\"id\":\"chatcmpl-1\"}\n\n"
                                     "data: {\"n\":2}\r\n\r\n"
                                     "event: x\ndata:{\"usage\":{\"completion_tokens\":64,\"n\":1}}\n\n"
                                     "data: [DONE]\n\n";

TEST(SseCounter, CountsEventsWhereverTheBytesAreCut) {
  for (std::size_t cut = 0; cut <= kStream.size(); ++cut) {
    SseCounter counter;
    const int counted = counter.feed(kStream.substr(0, cut)) + counter.feed(kStream.substr(cut));
    EXPECT_EQ(counted, 3) << cut;
    EXPECT_EQ(counter.events(), 3u) << cut;
    EXPECT_TRUE(counter.saw_done()) << cut;
    EXPECT_EQ(counter.first_event(), "{\"id\":\"chatcmpl-1\"}") << cut;
    EXPECT_EQ(counter.completion_tokens(), 64u) << cut;
  }
}

TEST(SseCounter, AnEventWithoutItsBlankLineDoesNotCount) {
  SseCounter counter;
  EXPECT_EQ(counter.feed("data: {}\n"), 0);
  EXPECT_EQ(counter.feed("\n"), 1);
  EXPECT_FALSE(counter.saw_done());
}

TEST(SseCounter, ResetForgets) {
  SseCounter counter;
  counter.feed(kStream);
  counter.feed("data: {\"cut");
  counter.reset();
  EXPECT_EQ(counter.feed("data: {}\n\n"), 1);
  EXPECT_EQ(counter.first_event(), "{}");
  EXPECT_EQ(counter.completion_tokens(), 0u);
}

}  // namespace
}  // namespace cloister::bench
