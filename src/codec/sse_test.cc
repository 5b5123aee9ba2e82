#include "codec/sse.h"

#include <gtest/gtest.h>

#include <vector>

namespace cloister::codec {
namespace {

std::vector<std::string> events(std::string_view text, std::size_t piece) {
  std::vector<std::string> out;
  SseParser parser([&](std::string_view data) { out.emplace_back(data); });
  for (std::size_t i = 0; i < text.size(); i += piece) EXPECT_TRUE(parser.feed(text.substr(i, piece)));
  return out;
}

TEST(SseParser, SameEventsInAnyPieces) {
  constexpr std::string_view kText =
      ": comment\ndata: one\n\nevent: x\ndata:two\ndata: lines\r\n\r\nid: 7\n\ndata\n\ndata: [DONE]\n\n";
  const std::vector<std::string> expected = {"one", "two\nlines", "", "[DONE]"};
  for (std::size_t piece = 1; piece <= kText.size(); ++piece) EXPECT_EQ(events(kText, piece), expected) << piece;
}

TEST(SseParser, AnUnfinishedEventIsNotGiven) { EXPECT_TRUE(events("data: one\n", 3).empty()); }

TEST(SseParser, CarriageReturnsEndLines) {
  EXPECT_EQ(events("data: a\r\rdata: b\r\n\r\n", 1), (std::vector<std::string>{"a", "b"}));
}

TEST(SseParser, BoundsAnEvent) {
  SseParser parser([](std::string_view) {}, 16);
  EXPECT_TRUE(parser.feed("data: short\n\n"));
  Result<void> result = parser.feed("data: 0123456789abcdef");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kBadSse);
}

}  // namespace
}  // namespace cloister::codec
