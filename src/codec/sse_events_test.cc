#include "codec/sse_events.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cloister::codec {
namespace {

// The complete events, fed in pieces of `step` bytes.
std::vector<std::string> events_of(std::string_view text, std::size_t step) {
  SseEvents events;
  std::vector<std::string> out;
  std::string at_hand;
  for (std::size_t from = 0; from < text.size(); from += step) {
    std::string_view piece = text.substr(from, step);
    while (!piece.empty()) {
      const SseEvents::Part part = events.next(piece);
      EXPECT_TRUE(part.size > 0 || part.ends);
      EXPECT_LE(part.size, piece.size());
      at_hand += piece.substr(0, part.size);
      if (part.ends) out.push_back(std::exchange(at_hand, {}));
      piece.remove_prefix(part.size);
    }
  }
  if (events.finish()) out.push_back(at_hand);
  return out;
}

using List = std::vector<std::string>;

TEST(SseEvents, EndWithAnEmptyLine) {
  const struct {
    std::string text;
    List events;
  } table[] = {
      {"", {}},
      {"data: a\n\ndata: b\n\n", {"data: a\n\n", "data: b\n\n"}},
      {"data: a\r\n\r\ndata: b\r\n\r\n", {"data: a\r\n\r\n", "data: b\r\n\r\n"}},
      {"event: x\ndata: a\n\n: ping\n\nrest", {"event: x\ndata: a\n\n", ": ping\n\n"}},
      {"data: a\n\n\ndata: b\n\n", {"data: a\n\n", "\n", "data: b\n\n"}},
      {"\n\r\ndata: a\n\n", {"\n", "\r\n", "data: a\n\n"}},
      {"data: a\n", {}},
      {"data: a\r\rdata: b\r\r", {"data: a\r\r", "data: b\r\r"}},
      {"a\n\r\r\n\n", {"a\n\r", "\r\n", "\n"}},
      {"a\n\rb\n\n", {"a\n\r", "b\n\n"}},
      {"a\r\n\r\n\rb\r\r\n", {"a\r\n\r\n", "\r", "b\r\r\n"}},
      {"data: a\r\n\r", {"data: a\r\n\r"}},
      {"\r", {"\r"}},
      {"a\n \n\n", {"a\n \n\n"}},
      {std::string("a\0b\n\n", 5), {std::string("a\0b\n\n", 5)}},
  };
  for (const auto& row : table) {
    for (std::size_t step : {1u, 2u, 3u, 5u, 1000u})
      EXPECT_EQ(events_of(row.text, step), row.events) << row.text << step;
    const SplitEvents split = split_events(row.text);
    std::string joined;
    for (const std::string_view event : split.events) joined += event;
    EXPECT_EQ(List(split.events.begin(), split.events.end()), row.events) << row.text;
    EXPECT_EQ(joined + std::string(split.rest), row.text);
  }
}

// A line that crosses the border of a search window.
TEST(SseEvents, EndsAreFoundInLongLines) {
  for (std::size_t length = 250; length < 262; ++length) {
    for (const std::string end : {"\n\n", "\r\r", "\r\n\r\n", "\n\r"}) {
      const std::string event = std::string(length, 'x') + end;
      EXPECT_EQ(events_of(event + event, 1000), (List{event, event})) << length;
      EXPECT_EQ(events_of(event + event, 7), (List{event, event})) << length;
      EXPECT_TRUE(ends_with_empty_line(event));
    }
  }
}

TEST(SseLines, KnowAnEmptyLineAtTheEnd) {
  for (const char* whole : {"\n", "\r", "\r\n", "a\n\n", "a\r\r", "a\r\n\r\n", "a\n\r\n", "a\n\r", "a\r\r\n"}) {
    EXPECT_TRUE(ends_with_empty_line(whole)) << whole;
  }
  for (const char* cut : {"", "a", "a\n", "a\r", "a\r\n", "a\n\nb", "a\n\n "})
    EXPECT_FALSE(ends_with_empty_line(cut)) << cut;
}

}  // namespace
}  // namespace cloister::codec
