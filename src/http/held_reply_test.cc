// Replies whose end is held back until it is released: no part of it reaches the client before that; trailers, replacements.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "http/http_test_util.h"

namespace cloister::http {
namespace {

using namespace testing;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";

// Holds the end, and tells the test.
class Holder : public RecordingObserver {
 public:
  End on_complete(const std::shared_ptr<Exchange>& exchange) override {
    RecordingObserver::on_complete(exchange);
    held = exchange;
    holds.set();
    return End::kHold;
  }
  std::shared_ptr<Exchange> held;
  Signal holds;
};

Response event_stream() {
  Response head;
  head.content_type = "text/event-stream";
  return head;
}

class HeldReplyTest : public ServerTest {
 protected:
  void serve_buffered() {
    handler_.on_request = [this](const std::shared_ptr<Exchange>& exchange) {
      exchange->set_observer(holder_);
      Response response;
      response.body = "whole";
      exchange->respond(std::move(response));
    };
    serve();
  }
  void serve_stream() {
    handler_.on_request = [this](const std::shared_ptr<Exchange>& exchange) {
      exchange->set_observer(holder_);
      exchange->start(event_stream());
      exchange->write("one");
      exchange->finish();
    };
    serve();
  }
  std::shared_ptr<Holder> holder_ = std::make_shared<Holder>();
};

TEST_F(HeldReplyTest, OfABufferedReplyNothingGoesOut) {
  serve_buffered();
  RawClient raw = client();
  raw.send(kGet);
  ASSERT_TRUE(holder_->holds.wait());
  EXPECT_FALSE(raw.has_input(50));
  holder_->held->release({{"x-further", "yes"}});
  const RawReply reply = raw.read_reply();
  EXPECT_TRUE(reply.has("x-further: yes"));
  EXPECT_EQ(reply.body, "whole");
  EXPECT_EQ(holder_->bytes(), "whole");
  EXPECT_EQ(holder_->cuts(), 0);
}

TEST_F(HeldReplyTest, TheConnectionGoesOnAfterIt) {
  serve_buffered();
  RawClient raw = client();
  for (int i = 0; i < 3; ++i) {
    holder_ = std::make_shared<Holder>();
    raw.send(kGet);
    ASSERT_TRUE(holder_->holds.wait());
    std::thread([held = holder_->held] { held->release({}); }).join();
    EXPECT_EQ(raw.read_reply().body, "whole");
  }
}

TEST_F(HeldReplyTest, RequestsSentAheadWait) {
  serve_buffered();
  RawClient raw = client();
  raw.send(std::string(kGet) + std::string(kGet));
  ASSERT_TRUE(holder_->holds.wait());
  const std::shared_ptr<Exchange> first = holder_->held;
  holder_ = std::make_shared<Holder>();
  first->release({});
  EXPECT_EQ(raw.read_reply().body, "whole");
  ASSERT_TRUE(holder_->holds.wait());
  holder_->held->release({});
  EXPECT_EQ(raw.read_reply().body, "whole");
}

TEST_F(HeldReplyTest, OfAStreamTheEndWaits) {
  serve_stream();
  RawClient raw = client();
  raw.send(kGet);
  ASSERT_TRUE(holder_->holds.wait());
  EXPECT_FALSE(raw.has_input(50));
  holder_->held->release({{"x-receipt", "abc"}, {"bad name", "1"}, {"content-length", "9"}});
  const std::string all = raw.read_through("x-receipt: abc\r\n\r\n");
  EXPECT_NE(all.find("\r\n\r\n3\r\none\r\n0\r\nx-receipt: abc\r\n\r\n"), std::string::npos) << all;
  EXPECT_EQ(all.find("bad name"), std::string::npos);
}

TEST_F(HeldReplyTest, WithoutTrailersTheEndIsAsEver) {
  serve_stream();
  RawClient raw = client();
  raw.send(kGet);
  ASSERT_TRUE(holder_->holds.wait());
  holder_->held->release({});
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.body, "one");
  EXPECT_TRUE(reply.complete);
}

TEST_F(HeldReplyTest, Http10GetsNoTrailers) {
  serve_stream();
  RawClient raw = client();
  raw.send("GET /a HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(holder_->holds.wait());
  holder_->held->release({{"x-receipt", "abc"}});
  const std::string all = raw.read_to_end();
  EXPECT_TRUE(all.ends_with("\r\n\r\none")) << all;
}

TEST_F(HeldReplyTest, AnotherReplyCanTakeItsPlace) {
  serve_buffered();
  RawClient raw = client();
  raw.send(kGet);
  ASSERT_TRUE(holder_->holds.wait());
  Response instead;
  instead.status = 503;
  instead.body = "not stored";
  holder_->held->withhold(std::move(instead));
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.body, "not stored");
  EXPECT_EQ(holder_->bytes(), "whole");
}

TEST_F(HeldReplyTest, AWithheldStreamDoesNotLookWhole) {
  serve_stream();
  RawClient raw = client();
  raw.send(kGet);
  ASSERT_TRUE(holder_->holds.wait());
  holder_->held->withhold({});
  const RawReply reply = raw.read_reply();
  EXPECT_FALSE(reply.complete);
  EXPECT_EQ(reply.body, "");
}

TEST_F(HeldReplyTest, OnlyTheFirstWordCounts) {
  serve_buffered();
  RawClient raw = client();
  raw.send(kGet);
  ASSERT_TRUE(holder_->holds.wait());
  holder_->held->release({});
  holder_->held->withhold({});
  holder_->held->release({{"x-further", "yes"}});
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.body, "whole");
  EXPECT_FALSE(reply.has("x-further"));
}

TEST_F(HeldReplyTest, TheClientMayLeaveMeanwhile) {
  serve_buffered();
  {
    RawClient raw = client();
    raw.send(kGet);
    ASSERT_TRUE(holder_->holds.wait());
  }
  while (server_->stats().connections_open > 0) std::this_thread::yield();
  holder_->held->release({{"x-further", "yes"}});
  EXPECT_TRUE(holder_->complete());
  EXPECT_EQ(holder_->cuts(), 0);
}

TEST_F(HeldReplyTest, ReleasedBeforeItIsHeld) {
  struct Eager : ReplyObserver {
    void on_body(std::string_view) override {}
    End on_complete(const std::shared_ptr<Exchange>& exchange) override {
      exchange->release({{"x-further", "yes"}});
      return End::kHold;
    }
  };
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    exchange->set_observer(std::make_shared<Eager>());
    exchange->respond(Response{});
  };
  serve();
  EXPECT_TRUE(ask(kGet).has("x-further: yes"));
}

TEST_F(HeldReplyTest, StoppingWaitsForIt) {
  serve_buffered();
  RawClient raw = client();
  raw.send(kGet);
  ASSERT_TRUE(holder_->holds.wait());
  std::thread late([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    holder_->held->release({});
  });
  server_->stop(10);
  late.join();
  EXPECT_EQ(raw.read_reply().body, "whole");
}

// A cut reply is reported as cut, once, with the bytes that were handed over.
TEST_F(HeldReplyTest, TheObserverIsToldOfACut) {
  auto observer = std::make_shared<RecordingObserver>();
  std::shared_ptr<Exchange> kept;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->set_observer(observer);
    exchange->start(event_stream());
    exchange->write("one");
    if (exchange->request().path == "/a") exchange->abort();
    kept = exchange;
  };
  serve();
  EXPECT_FALSE(ask(kGet).complete);
  EXPECT_EQ(observer->bytes(), "one");
  EXPECT_EQ(observer->cuts(), 1);
  {
    RawClient raw = client();
    raw.send("GET /b HTTP/1.1\r\nhost: x\r\n\r\n");
    raw.read_through("one\r\n");
  }
  while (observer->cuts() < 2) std::this_thread::yield();
  EXPECT_FALSE(observer->complete());
  EXPECT_EQ(observer->bytes(), "oneone");
}

}  // namespace
}  // namespace cloister::http
