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
      EXPECT_GT(part.size, 0u);
      EXPECT_LE(part.size, piece.size());
      at_hand += piece.substr(0, part.size);
      if (part.ends) out.push_back(std::exchange(at_hand, {}));
      piece.remove_prefix(part.size);
    }
  }
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
      {"data: a\r\rdata: b\r\r", {}},
      {"a\n\r\r\n\n", {"a\n\r\r\n\n"}},
      {"a\n\rb\n\n", {"a\n\rb\n\n"}},
      {"a\n \n\n", {"a\n \n\n"}},
      {std::string("a\0b\n\n", 5), {std::string("a\0b\n\n", 5)}},
  };
  for (const auto& row : table) {
    for (std::size_t step : {1u, 2u, 3u, 5u, 1000u}) EXPECT_EQ(events_of(row.text, step), row.events) << row.text << step;
  }
}

}  // namespace
}  // namespace cloister::codec
