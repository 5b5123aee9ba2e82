// Tests the engine with servers that say exactly what a script tells them to, on the loop of a real HTTP server.
#include "engine/upstream/upstream_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "engine/testing/recording_sink.h"
#include "http/http_test_util.h"
#include "http/outgoing.h"
#include "http/tcp_server_test_util.h"
#include "net/loop.h"

namespace cloister::engine {
namespace {

using http::testing::TcpPeer;
using http::testing::TcpServer;

std::string reply(const std::string& body, const std::string& status = "200 OK", const std::string& more = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string models(const std::string& owner = "test", const std::string& id = "m") {
  return R"({"object":"list","data":[{"id":")" + id + R"(","object":"model","created":7,"owned_by":")" + owner +
         R"(","max_model_len":4096}]})";
}
std::string chunk(const std::string& bytes) {
  char size[24];
  std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}
constexpr const char* kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";

// An OpenAI server as far as the watcher asks it; the script answers POSTs with a body.
class Upstream {
 public:
  using Answer = std::function<void(TcpPeer&, const std::string& request)>;
  explicit Upstream(Answer answer, std::string list = models(), std::uint16_t port = 0)
      : server_(
            [answer = std::move(answer), list = std::move(list), this](TcpPeer& peer) {
              for (std::string request; !(request = peer.read_request()).empty();) {
                if (request.starts_with("GET /health ")) {
                  peer.send(reply("{}", healthy ? "200 OK" : "503 Service Unavailable"));
                } else if (request.starts_with("GET /v1/models ")) {
                  peer.send(reply(list));
                } else if (request.starts_with("GET /version ")) {
                  peer.send(reply(R"({"version":"1.2.3"})"));
                } else if (request.ends_with("content-length: 0\r\n\r\n")) {
                  const bool there = request.starts_with("POST /v1/chat/completions ");
                  peer.send(reply("{}", there ? "400 Bad Request" : "404 Not Found"));
                } else if (request.starts_with("GET ")) {
                  peer.send(reply("{}", "404 Not Found"));
                } else {
                  ++asked;
                  answer(peer, request);
                  if (request.find("x-once: 1") != std::string::npos) return;
                }
              }
            },
            port) {}
  const std::string url() const { return server_.url(); }
  std::uint16_t port() const { return server_.port(); }
  std::atomic<int> asked{0};
  std::atomic<bool> healthy{true};

 private:
  TcpServer server_;
};

// RecordingSink has no support for heads that are passed on.
class PassSink : public testing::RecordingSink {
 public:
  void on_passed_head(PassedHead head) override {
    on_start("");
    const std::lock_guard lock(mutex_);
    head_ = std::move(head);
  }
  bool is_behind() override { return behind; }
  PassedHead head() {
    const std::lock_guard lock(mutex_);
    return head_.value_or(PassedHead{.status = 0, .headers = {}});
  }
  std::atomic<bool> behind{false};

 private:
  std::mutex mutex_;
  std::optional<PassedHead> head_;
};

class UpstreamEngineTest : public http::testing::ServerTest {
 protected:
  void SetUp() override {
    handler_.on_request = [this](std::shared_ptr<http::Exchange> exchange) {
      exchange_ = std::move(exchange);
      ready_.set();
    };
    serve();
    client_.emplace(client());
    client_->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(ready_.wait());
  }
  void TearDown() override {
    client_.reset();
    server_.reset();
    engine_.reset();
    exchange_.reset();
  }

  static UpstreamOptions options_for(std::vector<std::string> urls) {
    UpstreamOptions options;
    options.urls = std::move(urls);
    options.check_interval = std::chrono::milliseconds(100);
    options.recheck_interval = std::chrono::milliseconds(20);
    return options;
  }
  void make(UpstreamOptions options, bool wait_ready = true) {
    auto made = make_upstream_engine(std::move(options));
    ASSERT_TRUE(made) << made.error().message;
    engine_ = std::move(*made);
    if (wait_ready) wait([&] { return all_up(); });
  }
  bool all_up() {
    for (const UpstreamState& one : engine_->upstreams()) {
      if (!one.up) return false;
    }
    return true;
  }
  static void wait(const std::function<bool()>& condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_TRUE(condition());
  }

  EngineRequest request_of(const std::string& body) {
    EngineRequest request;
    request.body = std::make_shared<const std::string>(body);
    request.path = "/v1/chat/completions";
    request.headers = {{"content-type", "application/json"}};
    request.loop = exchange_->loop();
    return request;
  }
  std::shared_ptr<PassSink> start(EngineRequest request) {
    auto sink = std::make_shared<PassSink>();
    auto started = engine_->start(std::move(request), sink);
    EXPECT_TRUE(started);
    if (started) generation_ = *started;
    return sink;
  }
  std::shared_ptr<PassSink> ask(const std::string& body = R"({"model":"m"})") {
    auto sink = start(request_of(body));
    EXPECT_TRUE(sink->wait_end(std::chrono::seconds(20)));
    EXPECT_EQ(sink->misuse(), "");
    return sink;
  }
  // One upstream whose POSTs are answered by these bytes, on a connection that then ends.
  std::shared_ptr<PassSink> ask_for(const std::string& raw, std::size_t piece = 1 << 20) {
    const Upstream upstream([&](TcpPeer& peer, const std::string&) { peer.send_in_pieces(raw, piece); });
    make(options_for({upstream.url()}));
    EngineRequest request = request_of("{}");
    request.headers.emplace_back("x-once", "1");
    auto sink = start(std::move(request));
    EXPECT_TRUE(sink->wait_end(std::chrono::seconds(20)));
    generation_.reset();
    engine_.reset();
    return sink;
  }
  std::uint64_t failures() { return engine_->upstreams().at(0).failures; }

  http::testing::Signal ready_;
  std::shared_ptr<http::Exchange> exchange_;
  std::optional<http::testing::RawClient> client_;
  std::unique_ptr<Engine> engine_;
  std::shared_ptr<Generation> generation_;
};

TEST_F(UpstreamEngineTest, SaysWhatItFound) {
  const Upstream upstream([](TcpPeer&, const std::string&) {}, models("vllm"));
  make(options_for({upstream.url() + "/v1/"}));
  EXPECT_EQ(engine_->health(), Health::kReady);
  ASSERT_EQ(engine_->models().size(), 1u);
  EXPECT_EQ(engine_->models()[0].id, "m");
  EXPECT_EQ(engine_->models()[0].context_length, 4096u);
  EXPECT_EQ(*engine_->models_document(), models("vllm"));
  const UpstreamState state = engine_->upstreams().at(0);
  EXPECT_EQ(state.url, upstream.url());
  EXPECT_EQ(state.server, "vllm 1.2.3");
  EXPECT_EQ(state.routes, (std::vector<std::string>{"/v1/chat/completions"}));
  EXPECT_TRUE(state.cache_salt);
}

TEST_F(UpstreamEngineTest, ListsNoMoreModelsThanItKnows) {
  for (const std::size_t number : {1000u, 1001u}) {
    std::string list = R"({"object":"list","data":[)";
    for (std::size_t i = 0; i < number; ++i)
      list += (i == 0 ? "" : ",") + (R"({"id":")" + std::to_string(i)) + R"(","object":"model"})";
    const Upstream upstream([](TcpPeer&, const std::string&) {}, list + "]}");
    make(options_for({upstream.url()}));
    EXPECT_EQ(engine_->models().size(), 1000u);
    EXPECT_EQ(engine_->models_document() == nullptr, number > 1000) << number;
    engine_.reset();
  }
}

TEST_F(UpstreamEngineTest, RefusesUrlsThatAreNoUpstream) {
  for (const char* url :
       {"https://127.0.0.1:1", "http://8.8.8.8:80", "127.0.0.1:80", "http://u:p@127.0.0.1:80", "http://"}) {
    EXPECT_FALSE(make_upstream_engine(options_for({url}))) << url;
  }
  EXPECT_FALSE(make_upstream_engine(options_for({})));
  UpstreamOptions injected = options_for({"http://127.0.0.1:1"});
  injected.bearer_token = "a\r\nx-evil: 1";
  EXPECT_FALSE(make_upstream_engine(std::move(injected)));
  EXPECT_FALSE(make_upstream_engine(options_for(std::vector<std::string>(65, "http://127.0.0.1:1"))));
}

TEST_F(UpstreamEngineTest, PassesBytesOn) {
  std::string seen;
  const std::string odd = "{ \"model\" : \"m\",\t\"x\":[1.0, 2e3] }\n";
  Upstream upstream([&](TcpPeer& peer, const std::string& request) {
    seen = request;
    peer.send(reply("{ \"id\": 1.50 }", "200 OK",
                    "Set-Cookie: a=b\r\nX-Receipt-Id: forged\r\nOpenAI-Version: 1\r\nRetry-After: 3\r\n"));
  });
  UpstreamOptions options = options_for({upstream.url()});
  options.bearer_token = "ours-0123";
  make(std::move(options));
  const auto sink = ask(odd);
  EXPECT_EQ(sink->bytes(), "{ \"id\": 1.50 }");
  EXPECT_EQ(sink->head().status, 200);
  EXPECT_TRUE(sink->head().whole);
  EXPECT_EQ(sink->head().headers,
            (HeaderList{{"content-type", "application/json"}, {"openai-version", "1"}, {"retry-after", "3"}}));
  EXPECT_EQ(seen, "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:" + std::to_string(upstream.port()) +
                      "\r\nauthorization: Bearer ours-0123\r\ncontent-type: application/json\r\ncontent-length: " +
                      std::to_string(odd.size()) + "\r\n\r\n" + odd);
}

TEST_F(UpstreamEngineTest, StreamsWhateverThePieces) {
  const std::string first = ": ping\r\n\r\n", second = "data: {\"id\":\"c\"}\n\n", last = "data: [DONE]\n\n";
  const std::string raw = kStreamHead + chunk(first) + chunk(second) + chunk(last) + "0\r\n\r\n";
  for (std::size_t piece : {1u, 5u, 4096u}) {
    const auto sink = ask_for(raw, piece);
    EXPECT_FALSE(sink->error()) << piece;
    EXPECT_EQ(sink->bytes(), first + second + last) << piece;
    EXPECT_EQ(sink->last(), last) << piece;
    EXPECT_FALSE(sink->head().whole);
  }
}

TEST_F(UpstreamEngineTest, AStreamOfAnyDialectMayEndWithItsConnection) {
  for (const std::string last : {"data: [DONE]\n\n", "event: message_stop\ndata: {}\n\n",
                                 "event: response.completed\ndata: {\"response\":{}}\n\n"}) {
    const auto sink = ask_for("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n" + last);
    EXPECT_FALSE(sink->error()) << last;
    EXPECT_EQ(sink->bytes(), "data: {}\n\n" + last);
    EXPECT_EQ(sink->last(), last);
  }
}

TEST_F(UpstreamEngineTest, ErrorsOfTheServerAreItsOwnWords) {
  const auto sink = ask_for(reply(R"({"detail":"secret path /srv"})", "500 Internal Server Error"));
  EXPECT_FALSE(sink->error());
  EXPECT_EQ(sink->head().status, 500);
  EXPECT_EQ(sink->bytes(), R"({"detail":"secret path /srv"})");
}

TEST_F(UpstreamEngineTest, ABrokenReplyIsAnError) {
  struct Case {
    std::string raw;
    ErrorCode code;
  };
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
  const Case cases[] = {
      {head + "Content-Length: 900\r\n\r\n{\"a\":1}", ErrorCode::kUpstreamBroken},
      {"nonsense\r\n\r\n", ErrorCode::kUpstreamBroken},
      {kStreamHead + chunk("data: {}\n\n"), ErrorCode::kUpstreamBroken},
      {kStreamHead + chunk("data: {\"cut") + "0\r\n\r\n", ErrorCode::kUpstreamBroken},
      {kStreamHead + std::string("zz\r\n"), ErrorCode::kUpstreamBroken},
      {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n", ErrorCode::kUpstreamBroken},
      // Without a length only a JSON reply's own text says whether it is whole; for other replies nothing says it.
      {head + "\r\n{\"a\":1", ErrorCode::kUpstreamBroken},
      {"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\nRIFF", ErrorCode::kUpstreamBroken},
  };
  for (const Case& c : cases) {
    const auto sink = ask_for(c.raw);
    ASSERT_TRUE(sink->error()) << c.raw;
    EXPECT_EQ(sink->error()->code, c.code) << c.raw;
    EXPECT_EQ(sink->misuse(), "") << c.raw;
  }
}

TEST_F(UpstreamEngineTest, AJsonReplyThatEndsWithItsConnectionIsPassedOnWhenItIsWhole) {
  const auto sink = ask_for("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\n");
  EXPECT_FALSE(sink->error());
  EXPECT_TRUE(sink->head().whole);
  EXPECT_EQ(sink->bytes(), "{\"a\":1}\n");
}

TEST_F(UpstreamEngineTest, SilenceIsATimeout) {
  Upstream upstream([](TcpPeer& peer, const std::string&) { peer.client_closes(); });
  UpstreamOptions options = options_for({upstream.url()});
  options.first_byte_timeout_s = 1;
  make(std::move(options));
  const auto sink = ask();
  ASSERT_TRUE(sink->error());
  EXPECT_EQ(sink->error()->code, ErrorCode::kUpstreamTimeout);
  EXPECT_EQ(upstream.asked, 1) << "what may be computing is not asked for again";
  EXPECT_EQ(failures(), 1u);
}

TEST_F(UpstreamEngineTest, AnotherOneIsTriedBeforeTheFirstByteOnly) {
  Upstream good([](TcpPeer& peer, const std::string&) { peer.send(reply("good")); });
  Upstream busy([](TcpPeer& peer, const std::string&) { peer.send(reply("busy", "503 Service Unavailable")); });
  make(options_for({good.url(), busy.url()}));
  for (int i = 0; i < 6; ++i) {
    const auto sink = ask();
    EXPECT_EQ(sink->bytes(), "good");
  }
  EXPECT_GT(busy.asked, 0);
  EXPECT_EQ(good.asked, 6);
  EXPECT_EQ(engine_->upstreams()[1].failures, static_cast<std::uint64_t>(busy.asked));

  Upstream cut([](TcpPeer& peer, const std::string&) {
    peer.send(kStreamHead + chunk("data: {}\n\n"));
    peer.reset();
  });
  engine_.reset();
  EngineRequest request = request_of("{}");
  make(options_for({cut.url(), good.url()}));
  int broken = 0;
  for (int i = 0; i < 4; ++i) {
    EngineRequest once = request_of("{}");
    once.headers.emplace_back("x-once", "1");
    const auto sink = start(std::move(once));
    ASSERT_TRUE(sink->wait_end(std::chrono::seconds(20)));
    broken += sink->error().has_value();
  }
  EXPECT_EQ(broken, cut.asked) << "a reply that has begun is not begun again";
  EXPECT_GT(broken, 0);
}

TEST_F(UpstreamEngineTest, TheLastOnesRefusalIsPassedOn) {
  Upstream busy([](TcpPeer& peer, const std::string&) {
    peer.send(reply("later", "503 Service Unavailable", "Retry-After: 9\r\n"));
  });
  make(options_for({busy.url()}));
  const auto sink = ask();
  EXPECT_EQ(sink->head().status, 503);
  EXPECT_EQ(sink->bytes(), "later");
}

TEST_F(UpstreamEngineTest, NobodyThereIsToldAndForgotten) {
  const std::uint16_t port = http::testing::closed_port();
  make(options_for({"http://127.0.0.1:" + std::to_string(port)}), /*wait_ready=*/false);
  EXPECT_EQ(engine_->health(), Health::kLoading);
  const auto refused = ask();
  ASSERT_TRUE(refused->error());
  EXPECT_EQ(refused->error()->code, ErrorCode::kUpstreamUnreachable);
  const Upstream late([](TcpPeer& peer, const std::string&) { peer.send(reply("here")); }, models(), port);
  wait([&] { return engine_->health() == Health::kReady; });
  EXPECT_EQ(ask()->bytes(), "here");
}

TEST_F(UpstreamEngineTest, AKeptConnectionThatEndedIsNoError) {
  Upstream upstream([](TcpPeer& peer, const std::string&) { peer.send(reply("x")); });
  make(options_for({upstream.url()}));
  for (int i = 0; i < 3; ++i) {
    EngineRequest once = request_of("{}");
    once.headers.emplace_back("x-once", "1");  // the server closes after each reply without announcing it
    const auto sink = start(std::move(once));
    ASSERT_TRUE(sink->wait_end(std::chrono::seconds(20)));
    EXPECT_EQ(sink->bytes(), "x");
  }
  EXPECT_EQ(failures(), 0u);
}

TEST_F(UpstreamEngineTest, WatchesHealth) {
  Upstream first([](TcpPeer& peer, const std::string&) { peer.send(reply("first")); });
  Upstream second([](TcpPeer& peer, const std::string&) { peer.send(reply("second")); });
  make(options_for({first.url(), second.url()}));
  first.healthy = false;
  wait([&] { return !engine_->upstreams()[0].up; });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask()->bytes(), "second");
  EXPECT_EQ(engine_->health(), Health::kReady);
  first.healthy = true;
  wait([&] { return all_up(); });
  second.healthy = false;
  wait([&] { return !engine_->upstreams()[1].up; });
  EXPECT_EQ(ask()->bytes(), "first");
  first.healthy = false;
  wait([&] { return engine_->health() == Health::kLoading; });
  EXPECT_FALSE(ask()->error()) << "when all are down they are asked all the same";
}

TEST_F(UpstreamEngineTest, TheLeastLoadedIsChosen) {
  http::testing::Signal go;
  const auto hold = [&](TcpPeer& peer, const std::string&) {
    EXPECT_TRUE(go.wait());
    peer.send(reply("x"));
  };
  Upstream first(hold), second(hold);
  make(options_for({first.url(), second.url()}));
  std::vector<std::shared_ptr<PassSink>> sinks;
  for (int i = 0; i < 8; ++i) {
    sinks.push_back(start(request_of("{}")));
    wait([&] { return first.asked + second.asked == i + 1; });
  }
  EXPECT_EQ(first.asked, 4);
  EXPECT_EQ(second.asked, 4);
  EXPECT_EQ(engine_->upstreams()[0].active, 4u);
  go.set();
  for (const auto& sink : sinks) EXPECT_TRUE(sink->wait_end(std::chrono::seconds(20)));
  wait([&] { return engine_->upstreams()[0].active == 0 && engine_->stats().active <= 1; });
}

// One client's requests were all sent before anybody else's.
TEST_F(UpstreamEngineTest, ClientsTakeTurns) {
  http::testing::Signal go;
  std::mutex mutex;
  std::vector<std::string> order;
  Upstream upstream([&](TcpPeer& peer, const std::string& request) {
    {
      const std::lock_guard lock(mutex);
      order.push_back(request.substr(request.find("\r\n\r\n") + 4));
    }
    EXPECT_TRUE(go.wait());
    peer.send(reply("x"));
  });
  UpstreamOptions options = options_for({upstream.url()});
  options.parallel = 4;
  options.most_waiting = 10;
  make(std::move(options));
  const auto send = [&](const std::string& client) {
    EngineRequest request = request_of("{\"of\":\"" + client + "\"}");
    request.client = client;
    return start(std::move(request));
  };
  std::vector<std::shared_ptr<PassSink>> sinks;
  for (int i = 0; i < 13; ++i) sinks.push_back(send("a"));  // three are under way, ten wait
  wait([&] { return upstream.asked == 3 && engine_->stats().waiting == 10; });
  EXPECT_EQ(engine_->stats().active, 3u);
  const auto surplus = send("a");
  EXPECT_TRUE(surplus->wait_end(std::chrono::seconds(20)));
  ASSERT_TRUE(surplus->error());
  EXPECT_EQ(surplus->error()->code, ErrorCode::kBusy);
  EXPECT_GT(surplus->error()->retry_after_s, 0);

  sinks.push_back(send("b"));  // one place is free for it
  wait([&] { return upstream.asked == 4; });
  sinks.push_back(send("c"));  // takes the place of the newest that waits
  EXPECT_TRUE(sinks[12]->wait_end(std::chrono::seconds(20)));
  ASSERT_TRUE(sinks[12]->error());
  EXPECT_EQ(sinks[12]->error()->code, ErrorCode::kBusy);

  const auto gone = send("d");
  const auto abandoned = generation_;
  wait([&] { return engine_->stats().waiting == 10; });
  EXPECT_TRUE(sinks[11]->wait_end(std::chrono::seconds(20)));
  abandoned->cancel();
  wait([&] { return engine_->stats().waiting == 9; });

  go.set();
  for (const auto& sink : sinks) EXPECT_TRUE(sink->wait_end(std::chrono::seconds(20)));
  wait([&] { return engine_->stats().active == 0 && engine_->stats().waiting == 0; });
  EXPECT_EQ(order.size(), 13u + 2 - 2);
  const auto of_c = std::find(order.begin(), order.end(), R"({"of":"c"})") - order.begin();
  // Turns.ClientsTakeTurnsForPlaces shows the order in which places are given; requests may overtake each other on their way.
  EXPECT_LT(of_c, 12) << "not behind all of another";
  EXPECT_EQ(std::count(order.begin(), order.end(), R"({"of":"d"})"), 0);
  EXPECT_FALSE(gone->outcome() || gone->error());
}

TEST_F(UpstreamEngineTest, ModelsLeadToTheirServer) {
  Upstream small([](TcpPeer& peer, const std::string&) { peer.send(reply("small")); }, models("test", "small"));
  Upstream large([](TcpPeer& peer, const std::string&) { peer.send(reply("large")); }, models("test", "large"));
  make(options_for({small.url(), large.url()}));
  EXPECT_EQ(engine_->models().size(), 2u);
  EXPECT_EQ(engine_->models_document(), nullptr);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(R"({"model":"small"})")->bytes(), "small");
    EXPECT_EQ(ask(R"({"model":"large"})")->bytes(), "large");
  }
}

TEST_F(UpstreamEngineTest, SaltsByTenant) {
  std::string seen;
  Upstream upstream(
      [&](TcpPeer& peer, const std::string& request) {
        seen = request.substr(request.find("\r\n\r\n") + 4);
        peer.send(reply("x"));
      },
      models("vllm"));
  make(options_for({upstream.url()}));
  const auto salted = [&](std::uint8_t tenant, Route route) {
    EngineRequest request = request_of(R"({"model":"m"} )");
    request.tenant[0] = tenant;
    request.route = route;
    const auto sink = start(std::move(request));
    EXPECT_TRUE(sink->wait_end(std::chrono::seconds(20)));
    return seen;
  };
  const std::string mine = salted(1, Route::kChatCompletions);
  EXPECT_TRUE(mine.starts_with(R"({"model":"m","cache_salt":")")) << mine;
  EXPECT_TRUE(mine.ends_with("\"} ")) << mine;
  EXPECT_EQ(salted(1, Route::kCompletions), mine);
  EXPECT_NE(salted(2, Route::kChatCompletions), mine);
  EXPECT_EQ(salted(1, Route::kTranscriptions), R"({"model":"m"} )");

  const auto refused = ask(R"({"model":"m","cache_salt":"theirs"})");
  ASSERT_TRUE(refused->error());
  EXPECT_EQ(refused->error()->code, ErrorCode::kInvalidRequest);
}

TEST_F(UpstreamEngineTest, CancellingClosesAtOnce) {
  http::testing::Signal closed;
  Upstream upstream([&](TcpPeer& peer, const std::string&) {
    peer.send(kStreamHead + chunk("data: {}\n\n"));
    if (peer.client_closes()) closed.set();
  });
  make(options_for({upstream.url()}));
  const auto sink = start(request_of("{}"));
  ASSERT_TRUE(sink->wait_pieces(1, std::chrono::seconds(20)));
  generation_->cancel();  // from a thread that is not the loop's
  EXPECT_TRUE(closed.wait(2));
  wait([&] { return engine_->upstreams()[0].active == 0; });
  EXPECT_FALSE(sink->outcome());
  EXPECT_FALSE(sink->error());
  EXPECT_EQ(failures(), 0u);
}

TEST_F(UpstreamEngineTest, AReaderThatIsBehindHoldsTheServerBack) {
  std::atomic<std::size_t> sent{0};
  constexpr std::size_t kAll = 64u << 20;
  Upstream upstream([&](TcpPeer& peer, const std::string&) {
    peer.send(kStreamHead);
    for (; sent < kAll; sent += 1 << 16) {
      if (!peer.send(chunk(std::string((1 << 16) - 2, 'x') + "\n\n"))) return;
    }
    peer.send("0\r\n\r\n");
  });
  make(options_for({upstream.url()}));
  const auto sink = std::make_shared<PassSink>();
  sink->behind = true;
  auto started = engine_->start(request_of("{}"), sink);
  ASSERT_TRUE(started);
  for (std::size_t before = 1; before != sent;) {
    before = sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_LT(sent, kAll);
  sink->behind = false;
  exchange_->loop()->run([generation = *started] { generation->resume(); });
  ASSERT_TRUE(sink->wait_end(std::chrono::seconds(20)));
  EXPECT_FALSE(sink->error());
  EXPECT_EQ(sink->bytes().size(), kAll);
}

}  // namespace
}  // namespace cloister::engine
