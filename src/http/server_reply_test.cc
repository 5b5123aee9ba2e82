// Buffered and streamed replies: exact bytes, what observers see, clients that leave or do not read.
#include <atomic>
#include <thread>

#include "http/http_test_util.h"

namespace cloister::http {
namespace {

using testing::loopback_options;
using testing::RawClient;
using testing::RawReply;
using testing::RecordingObserver;
using testing::Signal;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";

class ReplyTest : public testing::ServerTest {
 protected:
  // Ends the threads and the server before the objects in a test's body that they refer to. Declare it last.
  class EndFirst {
   public:
    explicit EndFirst(ReplyTest& test) : test_(test) {}
    ~EndFirst() {
      test_.join();
      test_.server_.reset();
    }

   private:
    ReplyTest& test_;
  };
  void TearDown() override {
    join();
    ServerTest::TearDown();
  }
  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  // Each request is served by `body` on a thread of its own.
  void serve_on_threads(std::function<void(std::shared_ptr<Exchange>)> body,
                        ServerOptions options = loopback_options()) {
    handler_.on_request = [this, body = std::move(body)](const std::shared_ptr<Exchange>& exchange) {
      threads_.emplace_back([body, exchange] { body(exchange); });
    };
    serve(options);
  }
  std::vector<std::thread> threads_;
};

Response event_stream() {
  Response head;
  head.content_type = "text/event-stream";
  return head;
}

TEST_F(ReplyTest, RespondsFromAnotherThread) {
  auto observer = std::make_shared<RecordingObserver>();
  const EndFirst end_first(*this);
  serve_on_threads([&](const std::shared_ptr<Exchange>& exchange) {
    exchange->set_observer(observer);
    Response response;
    response.status = 429;
    response.headers = {{"x-id", "7"}};
    response.body = std::string(3 << 20, 'r');
    exchange->respond(std::move(response));
    exchange->respond({});
    exchange->start({});
    exchange->write("never");
    exchange->finish();
  });
  RawClient raw = client();
  raw.send(kGet);
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, 429);
  EXPECT_TRUE(reply.has("x-id: 7"));
  EXPECT_TRUE(reply.complete);
  EXPECT_EQ(reply.body, std::string(3 << 20, 'r'));
  EXPECT_EQ(observer->bytes(), reply.body);
  EXPECT_TRUE(observer->complete());
}

TEST_F(ReplyTest, StreamsFromAnotherThread) {
  auto observer = std::make_shared<RecordingObserver>();
  std::string expected;
  for (int i = 0; i < 20000; ++i) expected += "data: " + std::to_string(i) + "\n\n";
  const EndFirst end_first(*this);
  serve_on_threads([&](const std::shared_ptr<Exchange>& exchange) {
    exchange->set_observer(observer);
    exchange->start(event_stream());
    for (int i = 0; i < 20000; ++i) exchange->write("data: " + std::to_string(i) + "\n\n");
    exchange->finish();
  });
  RawClient raw = client();
  raw.send(kGet);
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.has("content-type: text/event-stream"));
  EXPECT_TRUE(reply.complete);
  EXPECT_EQ(reply.body, expected);
  EXPECT_EQ(observer->bytes(), expected);
  EXPECT_TRUE(observer->complete());
  // The connection continues to serve.
  raw.send(kGet);
  EXPECT_EQ(raw.read_reply().body, expected);
}

TEST_F(ReplyTest, SendsEachPieceAtOnce) {
  Signal next;
  const EndFirst end_first(*this);
  serve_on_threads([&](const std::shared_ptr<Exchange>& exchange) {
    exchange->start(event_stream());
    exchange->write("one");
    EXPECT_TRUE(next.wait());
    exchange->write("two");
    exchange->finish();
  });
  RawClient raw = client();
  raw.send(kGet);
  raw.read_through("\r\n\r\n");
  EXPECT_EQ(raw.read_through("one\r\n"), "3\r\none\r\n");
  next.set();
  const std::string rest = raw.read_through("0\r\n\r\n");
  EXPECT_EQ(rest, "3\r\ntwo\r\n0\r\n\r\n");
}

TEST_F(ReplyTest, StreamsFromTheLoopItself) {
  const EndFirst end_first(*this);
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    Response head = event_stream();
    head.body = "first ";
    exchange->start(std::move(head));
    exchange->write("second");
    exchange->finish();
  };
  serve();
  RawClient raw = client();
  raw.send(std::string(kGet) + std::string(kGet));
  EXPECT_EQ(raw.read_reply().body, "first second");
  EXPECT_EQ(raw.read_reply().body, "first second");
}

TEST_F(ReplyTest, StreamsNothing) {
  const EndFirst end_first(*this);
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    exchange->start(event_stream());
    exchange->finish();
  };
  serve();
  const RawReply reply = ask(kGet);
  EXPECT_TRUE(reply.complete);
  EXPECT_EQ(reply.body, "");
}

// A client that has read the last byte sees what on_complete() did.
TEST_F(ReplyTest, CompletesTheObserverBeforeTheLastBytes) {
  struct Late : ReplyObserver {
    explicit Late(std::atomic<int>& count) : completed(count) {}
    void on_body(std::string_view) override {}
    End on_complete(const std::shared_ptr<Exchange>&) override {
      completed.fetch_add(1);
      return End::kSend;
    }
    std::atomic<int>& completed;
  };
  std::atomic<int> completed{0};
  const EndFirst end_first(*this);
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->set_observer(std::make_shared<Late>(completed));
    if (exchange->request().path == "/buffered") {
      Response response;
      response.body = "b";
      return exchange->respond(std::move(response));
    }
    threads_.emplace_back([exchange] {
      exchange->start(event_stream());
      exchange->write("a");
      exchange->write("b");
      exchange->finish();
    });
  };
  serve();
  for (int i = 1; i <= 200; i += 2) {
    RawClient raw = client();
    raw.send(kGet);
    ASSERT_TRUE(raw.read_reply().complete);
    ASSERT_EQ(completed.load(), i);
    raw.send("GET /buffered HTTP/1.1\r\nhost: x\r\n\r\n");
    ASSERT_TRUE(raw.read_reply().complete);
    ASSERT_EQ(completed.load(), i + 1);
  }
}

TEST_F(ReplyTest, StreamsToHttp10UntilTheEndOfTheConnection) {
  const EndFirst end_first(*this);
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    exchange->start(event_stream());
    exchange->write("one");
    exchange->write("two");
    exchange->finish();
  };
  serve();
  const RawReply reply = ask("GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
  EXPECT_EQ(reply.head.find("transfer-encoding"), std::string::npos);
  EXPECT_TRUE(reply.has("connection: close"));
  EXPECT_TRUE(reply.complete);
  EXPECT_EQ(reply.body, "onetwo");
}

TEST_F(ReplyTest, StreamsToHeadOnlyTheHead) {
  auto observer = std::make_shared<RecordingObserver>();
  const EndFirst end_first(*this);
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->set_observer(observer);
    exchange->start(event_stream());
    exchange->write("one");
    exchange->finish();
  };
  serve();
  RawClient raw = client();
  raw.send("HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(raw.read_reply(true).has("transfer-encoding: chunked"));
  raw.send(kGet);
  EXPECT_EQ(raw.read_reply().body, "one");
  EXPECT_EQ(observer->bytes(), "one");
}

TEST_F(ReplyTest, LeavesOutTheBodyWhereTheStatusHasNone) {
  const EndFirst end_first(*this);
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.status = exchange->request().path == "/a" ? 204 : 304;
    response.body = "must not be sent";
    exchange->respond(std::move(response));
  };
  serve();
  RawClient raw = client();
  raw.send(kGet);
  EXPECT_EQ(raw.read_through("\r\n\r\n").find("content-length"), std::string::npos);
  raw.send("GET /b HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(raw.read_through("\r\n\r\n").starts_with("HTTP/1.1 304"));
}

TEST_F(ReplyTest, LetsNoHeaderBreakOut) {
  const EndFirst end_first(*this);
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.content_type = "text/plain\r\nset-cookie: 1";
    response.headers = {{"x-a", "1\r\n\r\nsmuggled"},
                        {"bad name", "1"},
                        {"x:y", "1"},
                        {"", "1"},
                        {"new\r\nline", "1"},
                        {"Content-Length", "99"},
                        {"Transfer-Encoding", "chunked"},
                        {"Connection", "upgrade"},
                        {"x-utf8", "\xC3\xA9"}};
    response.body = "ok";
    exchange->respond(std::move(response));
  };
  serve();
  const RawReply reply = ask(kGet);
  EXPECT_TRUE(reply.has("content-type: text/plainset-cookie: 1"));
  EXPECT_TRUE(reply.has("x-a: 1smuggled"));
  EXPECT_TRUE(reply.has("x-utf8: \xC3\xA9"));
  EXPECT_TRUE(reply.has("content-length: 2"));
  for (const char* text : {"bad name", "x:y", "line", "99", "chunked", "upgrade"}) {
    EXPECT_EQ(reply.head.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(reply.body, "ok");
}

TEST_F(ReplyTest, AbortsSoThatTheClientCanTell) {
  const EndFirst end_first(*this);
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    exchange->start(event_stream());
    exchange->write("part");
    exchange->abort();
    exchange->write("never");
  };
  serve();
  const RawReply reply = ask(kGet);
  EXPECT_EQ(reply.body, "part");
  EXPECT_FALSE(reply.complete);

  // In HTTP/1.0 only a reset can show it.
  RawClient old = client();
  old.send("GET /a HTTP/1.0\r\n\r\n");
  old.read_to_end();
  EXPECT_TRUE(old.was_reset());

  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) { exchange->abort(); };
  RawClient raw = client();
  raw.send(kGet);
  EXPECT_EQ(raw.read_to_end(), "");
}

TEST_F(ReplyTest, AnswersFiveHundredWhenAHandlerThrows) {
  const EndFirst end_first(*this);
  handler_.on_request = [](const std::shared_ptr<Exchange>&) { throw std::runtime_error("defect"); };
  serve();
  const RawReply reply = ask(kGet);
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("defect"), std::string::npos);
}

enum class Leave { kClose, kReset, kHalfClose };

class AbandonTest : public ReplyTest, public ::testing::WithParamInterface<Leave> {};

TEST_P(AbandonTest, IsToldAtOnceThatTheClientIsGone) {
  auto observer = std::make_shared<RecordingObserver>();
  Signal abandoned, second_call_came;
  std::atomic<int> calls{0};
  const EndFirst end_first(*this);
  serve_on_threads([&](const std::shared_ptr<Exchange>& exchange) {
    exchange->set_observer(observer);
    exchange->on_abandoned([&] {
      calls.fetch_add(1);
      abandoned.set();
    });
    exchange->start(event_stream());
    exchange->write("one");
    EXPECT_TRUE(abandoned.wait());
    exchange->write("two");
    exchange->finish();
    exchange->on_abandoned([&] { second_call_came.set(); });
    EXPECT_TRUE(second_call_came.is_set());
  });
  RawClient raw = client();
  raw.send(kGet);
  raw.read_through("one\r\n");
  const auto before = std::chrono::steady_clock::now();
  switch (GetParam()) {
    case Leave::kClose: raw.close(); break;
    case Leave::kReset: raw.reset(); break;
    case Leave::kHalfClose: raw.shut_write(); break;
  }
  ASSERT_TRUE(abandoned.wait());
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(500));
  join();
  EXPECT_EQ(calls.load(), 1);
  EXPECT_EQ(observer->bytes(), "one");
  EXPECT_FALSE(observer->complete());
  EXPECT_EQ(server_->stats().connections_open, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, AbandonTest, ::testing::Values(Leave::kClose, Leave::kReset, Leave::kHalfClose));

TEST_F(ReplyTest, IsNotAbandonedWhenItIsComplete) {
  auto token = std::make_shared<int>(0);
  const EndFirst end_first(*this);
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    // A callback that holds its own exchange must not keep the exchange alive forever.
    exchange->on_abandoned([token, exchange] { ++*token; });
    exchange->respond({});
  };
  serve();
  EXPECT_EQ(ask(kGet).status, 200);
  server_->stop(0);
  EXPECT_EQ(*token, 0);
  EXPECT_EQ(token.use_count(), 1);
}

// For a client that reads nothing, the backlog is coalesced and bounded, and in the end the client is cut off.
TEST_F(ReplyTest, CutsOffAReaderThatIsTooFarBehind) {
  Signal abandoned;
  auto observer = std::make_shared<RecordingObserver>();
  ServerOptions options = loopback_options();
  options.write_buffer_limit_bytes = 256u << 10;
  const EndFirst end_first(*this);
  serve_on_threads(
      [&](const std::shared_ptr<Exchange>& exchange) {
        exchange->set_observer(observer);
        exchange->on_abandoned([&] { abandoned.set(); });
        exchange->start(event_stream());
        const std::string piece(1000, 'x');
        for (int i = 0; i < 100000 && !abandoned.is_set(); ++i) exchange->write(piece);
      },
      options);
  RawClient raw = client(4096);
  raw.send(kGet);
  EXPECT_TRUE(abandoned.wait());
  EXPECT_FALSE(observer->complete());
  raw.read_to_end();
  EXPECT_TRUE(raw.was_reset());
}

TEST_F(ReplyTest, CoalescesForAReaderThatIsBehind) {
  Signal written;
  auto observer = std::make_shared<RecordingObserver>();
  ServerOptions options = loopback_options();
  options.write_buffer_limit_bytes = 64u << 20;
  const std::string filler(8u << 20, 'f');
  const EndFirst end_first(*this);
  serve_on_threads(
      [&](const std::shared_ptr<Exchange>& exchange) {
        exchange->set_observer(observer);
        exchange->start(event_stream());
        exchange->write(filler);  // more than the socket takes
        while (observer->calls() == 0) std::this_thread::yield();
        for (int i = 0; i < 1000; ++i) exchange->write("0123456789");
        exchange->finish();
        written.set();
      },
      options);
  RawClient raw = client(4096);
  raw.send(kGet);
  ASSERT_TRUE(written.wait());
  const RawReply reply = raw.read_reply();
  ASSERT_TRUE(reply.complete);
  EXPECT_EQ(reply.body.size(), filler.size() + 10000);
  EXPECT_EQ(observer->bytes(), reply.body);
  EXPECT_EQ(observer->calls(), 2u);  // the filler, then all the rest as one chunk
}

// What a relay needs: how far the client is behind, and a call when it no longer is.
TEST_F(ReplyTest, TellsWhenAReaderHasCaughtUp) {
  Signal behind;
  Signal caught_up;
  std::shared_ptr<Exchange> kept;
  const EndFirst end_first(*this);
  serve_on_threads([&](const std::shared_ptr<Exchange>& exchange) {
    EXPECT_NE(exchange->loop(), nullptr);
    EXPECT_EQ(exchange->behind_bytes(), 0u);
    exchange->on_caught_up([&] { caught_up.set(); });
    exchange->start(event_stream());
    kept = exchange;
    const std::string piece(100'000, 'x');
    for (int i = 0; i < 200 && exchange->behind_bytes() == 0; ++i) {
      exchange->write(piece);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    behind.set();
  });
  RawClient raw = client(4096);
  raw.send(kGet);
  ASSERT_TRUE(behind.wait());
  EXPECT_GT(kept->behind_bytes(), 0u);
  EXPECT_FALSE(caught_up.is_set());
  std::thread end([&] {
    EXPECT_TRUE(caught_up.wait());
    EXPECT_EQ(kept->behind_bytes(), 0u);
    kept->finish();
  });
  EXPECT_TRUE(raw.read_reply().complete);
  end.join();
  kept.reset();
}

TEST_F(ReplyTest, CutsOffAReaderThatStalls) {
  Signal abandoned;
  ServerOptions options = loopback_options();
  options.write_timeout_s = 1;
  const EndFirst end_first(*this);
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->on_abandoned([&] { abandoned.set(); });
    Response response;
    response.body = std::string(32u << 20, 'x');
    exchange->respond(std::move(response));
  };
  serve(options);
  RawClient raw = client(4096);
  raw.send(kGet);
  EXPECT_TRUE(abandoned.wait());
  raw.read_to_end();
  EXPECT_TRUE(raw.was_reset());
}

// A slow client that keeps reading is served to the end.
TEST_F(ReplyTest, WaitsForASlowReader) {
  const std::string body(6u << 20, 's');
  const EndFirst end_first(*this);
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.body = body;
    exchange->respond(std::move(response));
  };
  serve();
  RawClient raw = client(4096);
  raw.send(kGet);
  const RawReply reply = raw.read_reply();
  EXPECT_TRUE(reply.complete);
  EXPECT_EQ(reply.body, body);
}

TEST_F(ReplyTest, GivesTheBodyAway) {
  const EndFirst end_first(*this);
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.body = exchange->take_body();
    EXPECT_EQ(exchange->request().body, "");
    exchange->respond(std::move(response));
  };
  serve();
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello").body, "hello");
}

}  // namespace
}  // namespace cloister::http
