// An upstream behind a Unix socket, which only this machine can reach.
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/testing/recording_sink.h"
#include "engine/upstream/upstream_engine.h"
#include "http/http_test_util.h"
#include "http/outgoing.h"

namespace cloister::engine {
namespace {

namespace fs = std::filesystem;

class PassSink : public testing::RecordingSink {
 public:
  void on_passed_head(PassedHead head) override { on_start(std::to_string(head.status)); }
};

// The loop belongs to a server with one running request.
class UnixUpstream : public http::testing::ServerTest {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "cloister_unix_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    handler_.on_request = [this](std::shared_ptr<http::Exchange> exchange) {
      exchange_ = std::move(exchange);
      ready_.set();
    };
    serve();
    client_.emplace(client());
    client_->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(ready_.wait());
    upstream_.on_request = [this](const std::shared_ptr<http::Exchange>& exchange) { answer(*exchange); };
  }
  void TearDown() override {
    client_.reset();
    server_.reset();
    engine_.reset();
    exchange_.reset();
    behind_.reset();
    fs::remove_all(folder_);
  }

  std::string path() const { return (folder_ / "engine.sock").string(); }

  void start_upstream() {
    http::ServerOptions options;
    options.unix_socket = path();
    options.threads = 1;
    auto made = http::Server::start(options, upstream_);
    ASSERT_TRUE(made) << made.error().message;
    behind_ = std::move(*made);
  }

  void answer(http::Exchange& exchange) {
    const http::Request& request = exchange.request();
    http::Response response;
    response.content_type = "application/json";
    if (request.method == "POST" && !request.body.empty()) {
      const std::lock_guard lock(mutex_);
      seen_ = request.body;
      host_ = std::string(request.header("host").value_or(""));
      response.body = R"({ "id":"over a socket" })";
    } else if (request.path == "/v1/models") {
      response.body = R"({"object":"list","data":[{"id":"m","object":"model","created":7,"owned_by":"test"}]})";
    } else {
      response.body = "{}";
    }
    exchange.respond(std::move(response));
  }

  void make() {
    UpstreamOptions options;
    options.urls = {"unix:" + path()};
    options.check_interval = std::chrono::milliseconds(100);
    options.recheck_interval = std::chrono::milliseconds(20);
    auto made = make_upstream_engine(std::move(options));
    ASSERT_TRUE(made) << made.error().message;
    engine_ = std::move(*made);
  }
  bool becomes(bool up) {
    for (int i = 0; i < 2000 && engine_->upstreams().at(0).up != up; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return engine_->upstreams().at(0).up == up;
  }
  std::shared_ptr<PassSink> ask() {
    EngineRequest request;
    request.body = std::make_shared<const std::string>(R"({ "model":"m" })");
    request.path = "/v1/chat/completions";
    request.headers = {{"content-type", "application/json"}};
    request.loop = exchange_->loop();
    auto sink = std::make_shared<PassSink>();
    auto started = engine_->start(std::move(request), sink);
    EXPECT_TRUE(started);
    EXPECT_TRUE(sink->wait_end(std::chrono::seconds(20)));
    return sink;
  }

  fs::path folder_;
  http::testing::Signal ready_;
  std::shared_ptr<http::Exchange> exchange_;
  std::optional<http::testing::RawClient> client_;
  http::testing::ScriptHandler upstream_;
  std::unique_ptr<http::Server> behind_;
  std::unique_ptr<Engine> engine_;
  std::mutex mutex_;
  std::string seen_, host_;
};

TEST_F(UnixUpstream, AnswersAndIsWatched) {
  start_upstream();
  make();
  ASSERT_TRUE(becomes(true));
  const UpstreamState state = engine_->upstreams().at(0);
  EXPECT_EQ(state.url, "unix:" + path());
  EXPECT_EQ(state.models, std::vector<std::string>{"m"});
  for (int i = 0; i < 3; ++i) {
    const auto sink = ask();
    EXPECT_FALSE(sink->error());
    EXPECT_EQ(sink->bytes(), R"({ "id":"over a socket" })");
  }
  {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(seen_, R"({ "model":"m" })");
    EXPECT_TRUE(host_.starts_with("localhost"));
  }

  behind_.reset();
  ASSERT_TRUE(becomes(false));
  const auto gone = ask();
  ASSERT_TRUE(gone->error());
  EXPECT_EQ(gone->error()->code, ErrorCode::kUpstreamUnreachable);
  start_upstream();
  ASSERT_TRUE(becomes(true));
  EXPECT_FALSE(ask()->error());
}

TEST_F(UnixUpstream, NobodyThereYetIsNoErrorOfTheStart) {
  make();
  EXPECT_EQ(engine_->health(), Health::kLoading);
  start_upstream();
  EXPECT_TRUE(becomes(true));
}

TEST(UpstreamUrl, SaysWhatItTakes) {
  const auto socket = parse_upstream_url("unix:/run/vllm.sock");
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->unix_socket, "/run/vllm.sock");
  const auto plain = parse_upstream_url("http://10.0.0.2:8000/v1/");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->base_path, "");
  const auto https = parse_upstream_url("https://engine.internal");
  ASSERT_FALSE(https);
  EXPECT_EQ(https.error().code, ErrorCode::kUsage);
  EXPECT_NE(https.error().message.find("tunnel"), std::string::npos);
  for (const char* text : {"", "unix:relative.sock", "/run/vllm.sock", "127.0.0.1:8000", "http://"}) {
    const auto refused = parse_upstream_url(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kBadUrl) << text;
  }
}

TEST(UpstreamUrl, ASocketsAddressHoldsItsPath) {
  http::Url url = *parse_upstream_url("unix:/run/" + std::string(102, 'x'));
  const auto longest = http::resolve_private(url);
  ASSERT_TRUE(longest);
  ASSERT_EQ(longest->addresses.size(), 1u);
  EXPECT_EQ(longest->addresses[0].storage.ss_family, AF_UNIX);
  EXPECT_EQ(longest->addresses[0].size, 2u + 107 + 1);
  url.unix_socket += "x";
  EXPECT_EQ(http::resolve_private(url).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace cloister::engine
