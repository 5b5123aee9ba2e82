#include "load/reply_reader.h"

#include <gtest/gtest.h>

namespace cloister::bench {
namespace {

struct Collect : BodySink {
  void on_body(std::string_view bytes) override { body.append(bytes); }
  std::string body;
};

constexpr std::string_view kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;ext=1\r\n, "
                                      "world\r\n0\r\n\r\n";

TEST(ReplyReader, ReadsAFixedBody) {
  ReplyReader reader;
  Collect out;
  auto done = reader.feed("HTTP/1.1 503 Busy\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", out);
  ASSERT_TRUE(done.has_value());
  EXPECT_TRUE(*done);
  EXPECT_EQ(reader.status(), 503);
  EXPECT_TRUE(reader.closes());
  EXPECT_EQ(out.body, "abc");
}

TEST(ReplyReader, ReadsChunksWhereverTheBytesAreCut) {
  for (std::size_t cut = 1; cut < kChunked.size(); ++cut) {
    ReplyReader reader;
    Collect out;
    auto first = reader.feed(kChunked.substr(0, cut), out);
    ASSERT_TRUE(first.has_value()) << cut;
    EXPECT_FALSE(*first) << cut;
    auto second = reader.feed(kChunked.substr(cut), out);
    ASSERT_TRUE(second.has_value()) << cut;
    EXPECT_TRUE(*second) << cut;
    EXPECT_EQ(out.body, "hello, world") << cut;
  }
}

TEST(ReplyReader, IsReusable) {
  ReplyReader reader;
  Collect out;
  for (int i = 0; i < 2; ++i) {
    reader.reset();
    auto done = reader.feed(kChunked, out);
    ASSERT_TRUE(done.has_value());
    EXPECT_TRUE(*done);
  }
  EXPECT_EQ(out.body, "hello, worldhello, world");
}

TEST(ReplyReader, RefusesWhatIsNotOneReply) {
  const std::string_view bad[] = {
      "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
  };
  for (const auto text : bad) {
    ReplyReader reader;
    Collect out;
    EXPECT_FALSE(reader.feed(text, out).has_value()) << text;
  }
}

TEST(ReplyReader, BoundsTheHead) {
  ReplyReader reader;
  Collect out;
  const std::string line = "X-Fill: " + std::string(1000, 'x') + "\r\n";
  auto result = reader.feed("HTTP/1.1 200 OK\r\n", out);
  for (int i = 0; i < 80 && result.has_value(); ++i) result = reader.feed(line, out);
  EXPECT_FALSE(result.has_value());
}

}  // namespace
}  // namespace cloister::bench
