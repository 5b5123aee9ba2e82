// Time-outs, limits, many connections, starting and stopping.
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "http/http_test_util.h"

namespace cloister::http {
namespace {

using testing::loopback_options;
using testing::RawClient;
using testing::RawReply;
using testing::Signal;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";

class LimitsTest : public testing::ServerTest {};

TEST_F(LimitsTest, EndsSlowAndIdleConnections) {
  ServerOptions options = loopback_options();
  options.header_timeout_s = options.body_idle_timeout_s = options.keep_alive_timeout_s = 1;
  serve(options);
  RawClient silent = client();
  RawClient idle = client();
  RawClient slow_head = client();
  RawClient slow_body = client();
  idle.send(kGet);
  EXPECT_EQ(idle.read_reply().status, 200);
  slow_head.send("GET /a HTTP/1.1\r\nho");
  slow_body.send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n123");
  const RawReply head = slow_head.read_reply();
  EXPECT_EQ(head.status, 408);
  EXPECT_TRUE(head.has("connection: close"));
  EXPECT_TRUE(slow_head.at_end());
  EXPECT_EQ(slow_body.read_reply().status, 408);
  EXPECT_TRUE(slow_body.at_end());
  EXPECT_TRUE(silent.at_end());
  EXPECT_TRUE(idle.at_end());
}

// A header that arrives slowly forever does not move its deadline.
TEST_F(LimitsTest, EndsADrippingHeader) {
  ServerOptions options = loopback_options();
  options.header_timeout_s = 1;
  serve(options);
  RawClient raw = client();
  raw.send("GET /a HTTP/1.1\r\nx: ");
  const auto before = std::chrono::steady_clock::now();
  while (!raw.has_input(50)) raw.send("x");
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_EQ(raw.read_reply().status, 408);
}

// Neither does a body that arrives slowly.
TEST_F(LimitsTest, EndsADrippingBody) {
  ServerOptions options = loopback_options();
  options.body_timeout_s = 1;
  options.body_idle_timeout_s = 30;
  serve(options);
  RawClient raw = client();
  raw.send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n");
  const auto before = std::chrono::steady_clock::now();
  while (!raw.has_input(50)) raw.send("x");
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(15));
  EXPECT_EQ(raw.read_reply().status, 408);
}

TEST_F(LimitsTest, BoundsTheBodiesInFlightOfAClientAndOfAll) {
  ServerOptions options = loopback_options();
  options.body_bytes_of_client = 256 << 10;
  options.body_bytes_in_flight = 512 << 10;
  handler_.on_admit = [](const RequestHead& head) { return Admission{1u << 20, nullptr, head.path}; };
  std::vector<std::shared_ptr<const std::string>> kept;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    if (exchange->request().header("keep")) kept.push_back(exchange->share_body());
    exchange->respond({});
  };
  serve(options);
  const auto post = [&](const char* path, std::size_t size, const char* more = "") {
    RawClient raw = client();
    raw.send("POST " + std::string(path) + " HTTP/1.1\r\nhost: x\r\n" + more +
             "content-length: " + std::to_string(size) + "\r\n\r\n");
    raw.send(std::string(size, 'x'));
    return raw.read_reply().status;
  };
  EXPECT_EQ(post("/a", 300 << 10), 503) << "one body above the share";
  EXPECT_EQ(post("/a", 200 << 10, "keep: 1\r\n"), 200);
  EXPECT_EQ(post("/a", 100 << 10), 503) << "with what is still held";
  EXPECT_EQ(post("/a", 10), 200) << "short bodies are free";
  EXPECT_EQ(post("/b", 200 << 10, "keep: 1\r\n"), 200);
  EXPECT_EQ(post("/c", 200 << 10), 503) << "of all";
  kept.clear();
  EXPECT_EQ(post("/c", 200 << 10), 200);
  EXPECT_EQ(post("/a", 200 << 10), 200);
}

TEST_F(LimitsTest, OneAddressDoesNotHaveAllConnections) {
  ServerOptions options = loopback_options();
  options.max_connections = 8;  // three quarters of them for one address
  serve(options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(client());
    clients.back().send(kGet);
    EXPECT_EQ(clients.back().read_reply().status, 200);
  }
  RawClient further = client();
  further.send(kGet);
  EXPECT_EQ(further.read_reply().status, 503);
  further.close();
  clients.pop_back();
  // The place is free when the loop has seen the end of the connection.
  int status = 503;
  for (const auto begun = std::chrono::steady_clock::now();
       status != 200 && std::chrono::steady_clock::now() - begun < std::chrono::seconds(20);) {
    RawClient again = client();
    again.send(kGet);
    status = again.read_reply().status;
  }
  EXPECT_EQ(status, 200);
}

class PlacesTest : public LimitsTest {
 protected:
  // The reply to a request of this address; 0 where the connection ends without one. The connection stays open.
  int ask(std::uint8_t source, std::string_view request = kGet) {
    clients_.emplace_back(server_->port(), 0, source);
    clients_.back().send(request);
    return clients_.back().read_reply().status;
  }
  // Connections that wait for a first request.
  void fill(std::uint8_t source, int count) {
    for (int i = 0; i < count; ++i) clients_.emplace_back(server_->port(), 0, source);
    for (int i = 0; i < 1000 && server_->stats().connections_open < clients_.size(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::vector<RawClient> clients_;
};

// Two addresses had all of them.
TEST_F(PlacesTest, AnAddressWithFewerConnectionsTakesAPlaceOfTheOneWithMost) {
  for (const int threads : {1, 3}) {
    clients_.clear();
    ServerOptions options = loopback_options();
    options.max_connections = 12;
    options.threads = threads;
    serve(options);
    fill(1, 9);
    fill(2, 3);
    for (std::uint8_t source = 3; source < 6; ++source) EXPECT_EQ(ask(source), 200) << threads;
    std::size_t ended = 0;
    for (std::size_t i = 0; i < 9; ++i) ended += clients_[i].has_input(0) && clients_[i].at_end();
    EXPECT_EQ(ended, 3u) << "one of the address with most for each";
    for (std::size_t i = 9; i < 12; ++i) EXPECT_FALSE(clients_[i].has_input(0)) << i;
    EXPECT_EQ(ask(1), 503) << "it has most";
  }
}

TEST_F(PlacesTest, TheOneThatHasWaitedLongestGoes) {
  ServerOptions options = loopback_options();
  options.max_connections = 4;
  serve(options);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(1), 200);
  clients_[0].send(kGet);  // the oldest has asked last
  EXPECT_EQ(clients_[0].read_reply().status, 200);
  fill(2, 1);
  EXPECT_EQ(ask(3), 200);
  EXPECT_TRUE(clients_[1].at_end());
  for (const std::size_t stays : {0u, 2u}) {
    clients_[stays].send(kGet);
    EXPECT_EQ(clients_[stays].read_reply().status, 200);
  }
}

TEST_F(PlacesTest, RequestsWithoutAnEndGiveTheirPlaceAndThoseInProgressDoNot) {
  std::vector<std::shared_ptr<Exchange>> running;
  std::mutex mutex;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    const std::lock_guard lock(mutex);
    if (exchange->request().path == "/a") return exchange->respond({});
    exchange->start({});
    exchange->write("part ");
    running.push_back(exchange);
  };
  ServerOptions options = loopback_options();
  options.max_connections = 8;
  serve(options);
  for (int i = 0; i < 4; ++i) {
    clients_.emplace_back(server_->port(), 0, 1);
    clients_.back().send("GET /run HTTP/1.1\r\nhost: x\r\n\r\n");
    clients_.back().read_through("part \r\n");
  }
  fill(1, 2);
  clients_[4].send("GET /a HTTP/1.1\r\nho");
  clients_[5].send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n123");
  fill(2, 2);
  EXPECT_EQ(ask(3), 200);
  EXPECT_TRUE(clients_[4].at_end());
  EXPECT_EQ(ask(4), 200);
  EXPECT_TRUE(clients_[5].at_end());
  // Nothing of the first address waits any more: the place of another one that has more than the newcomer.
  EXPECT_EQ(ask(5), 200);
  EXPECT_TRUE(clients_[6].at_end());
  EXPECT_EQ(ask(6), 503) << "each of the others has one";
  for (const auto& exchange : running) exchange->finish("rest");
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(clients_[i].read_through("0\r\n\r\n"), "4\r\nrest\r\n0\r\n\r\n") << i;
}

TEST_F(PlacesTest, StopsWhileNewcomersWait) {
  for (int round = 0; round < 10; ++round) {
    clients_.clear();
    ServerOptions options = loopback_options();
    options.max_connections = 8;
    options.threads = 4;
    serve(options);
    fill(1, 6);
    fill(2, 2);
    for (std::uint8_t source = 3; source < 60; ++source) clients_.emplace_back(server_->port(), 0, source);
    server_.reset();
    for (std::size_t i = 0; i < clients_.size(); ++i) EXPECT_TRUE(clients_[i].at_end()) << i << ": no socket is left";
  }
}

TEST_F(LimitsTest, AnswersFiveHundredThreeAboveTheConnectionLimit) {
  ServerOptions options = loopback_options();
  options.max_connections = 2;
  serve(options);
  RawClient first = client();
  RawClient second = client();
  first.send(kGet);
  second.send(kGet);
  EXPECT_EQ(first.read_reply().status, 200);
  EXPECT_EQ(second.read_reply().status, 200);
  RawClient third = client();
  third.send(kGet);
  EXPECT_EQ(third.read_reply().status, 503);
  EXPECT_TRUE(third.at_end());
  first.send(kGet);
  EXPECT_EQ(first.read_reply().status, 200);
}

TEST_F(LimitsTest, StreamsToAThousandClientsAtOnce) {
  constexpr std::size_t kStreams = 1000;
  std::mutex mutex;
  std::vector<std::shared_ptr<Exchange>> open;
  Signal all_open;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->start({});
    const std::lock_guard lock(mutex);
    open.push_back(exchange);
    if (open.size() == kStreams) all_open.set();
  };
  ServerOptions options = loopback_options();
  options.threads = 2;
  serve(options);
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < kStreams; ++i) {
    clients.push_back(client());
    clients.back().send("GET /" + std::to_string(i) + " HTTP/1.1\r\nhost: x\r\n\r\n");
  }
  ASSERT_TRUE(all_open.wait(30));
  std::thread writer([&] {
    for (int round = 0; round < 20; ++round) {
      for (const auto& exchange : open) exchange->write(exchange->request().path + " ");
    }
    for (const auto& exchange : open) exchange->finish();
  });
  for (std::size_t i = 0; i < kStreams; ++i) {
    std::string expected;
    for (int round = 0; round < 20; ++round) expected += std::string("/") + std::to_string(i) + " ";
    const RawReply reply = clients[i].read_reply();
    ASSERT_TRUE(reply.complete);
    ASSERT_EQ(reply.body, expected);
  }
  writer.join();
}

TEST_F(LimitsTest, HoldsTenThousandIdleConnections) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  // Both ends are in this process.
  const std::size_t count = std::min<std::size_t>(10000, (limit.rlim_max - 200) / 2);
  serve();
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.emplace_back(server_->port());
    ASSERT_TRUE(clients.back().connected()) << i;
    // Every second connection is idle after a request.
    if (i % 2 == 0) {
      ASSERT_TRUE(clients.back().send(kGet));
    }
  }
  for (std::size_t i = 0; i < count; i += 2) ASSERT_EQ(clients[i].read_reply().status, 200);
  RawClient late = client();
  late.send(kGet);
  EXPECT_EQ(late.read_reply().status, 200);
  EXPECT_EQ(server_->stats().connections_open, count + 1);
  for (std::size_t i = 0; i < count; i += 500) {
    clients[i].send(kGet);
    ASSERT_EQ(clients[i].read_reply().status, 200);
  }
  clients.clear();
  server_->stop(0);
  EXPECT_EQ(server_->stats().connections_open, 0u);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(LimitsTest, SaysThatAPortIsInUse) {
  serve();
  ServerOptions options = loopback_options();
  options.port = server_->port();
  const auto second = Server::start(options, handler_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAddressInUse);
  EXPECT_EQ(second.error().message, "127.0.0.1:" + std::to_string(options.port) + " is already in use");
}

TEST_F(LimitsTest, ServesIpv6) {
  std::string peer;
  bool loopback = false;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    peer = exchange->request().peer;
    loopback = exchange->request().peer_is_loopback;
    exchange->respond({});
  };
  ServerOptions options = loopback_options();
  options.address = "[::1]";
  auto server = Server::start(options, handler_);
  if (!server && server.error().message.find("cannot") != std::string::npos) GTEST_SKIP() << "no IPv6 here";
  ASSERT_TRUE(server) << server.error().to_string();
  const int socket = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons((*server)->port());
  address.sin6_addr = in6addr_loopback;
  ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_GT(::send(socket, kGet.data(), kGet.size(), 0), 0);
  char bytes[64];
  EXPECT_GT(::recv(socket, bytes, sizeof(bytes), 0), 0);
  ::close(socket);
  EXPECT_TRUE(peer.starts_with("[::1]:")) << peer;
  EXPECT_TRUE(loopback);
  (*server)->stop(0);

  options.address = "localhost";
  const auto named = Server::start(options, handler_);
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().code, ErrorCode::kUsage);
}

class StopTest : public testing::ServerTest {
 protected:
  // Leaves one stream running and one connection idle.
  void run_one() {
    handler_.on_request = [this](const std::shared_ptr<Exchange>& exchange) {
      exchange_ = exchange;
      exchange->on_abandoned([this] { abandoned_.set(); });
      exchange->start({});
      exchange->write("part ");
      running_.set();
    };
    serve();
    raw_ = std::make_unique<RawClient>(server_->port());
    idle_ = std::make_unique<RawClient>(server_->port());
    raw_->send(kGet);
    ASSERT_TRUE(running_.wait());
    raw_->read_through("part \r\n");
  }
  std::shared_ptr<Exchange> exchange_;
  std::unique_ptr<RawClient> raw_, idle_;
  Signal running_, abandoned_;
};

TEST_F(StopTest, LetsRunningRepliesEndWithinTheGrace) {
  run_one();
  std::thread stopper([&] { server_->stop(20); });
  EXPECT_TRUE(idle_->at_end());
  // Nobody listens any more.
  EXPECT_FALSE(RawClient(server_->port()).connected());
  exchange_->write("rest");
  exchange_->finish();
  EXPECT_EQ(raw_->read_through("0\r\n\r\n"), "4\r\nrest\r\n0\r\n\r\n");
  EXPECT_TRUE(raw_->at_end());
  raw_->close();
  stopper.join();
  EXPECT_FALSE(abandoned_.is_set());
}

TEST_F(StopTest, AbandonsWhatIsLeftAfterTheGrace) {
  run_one();
  server_->stop(0);
  EXPECT_TRUE(abandoned_.is_set());
  EXPECT_TRUE(raw_->at_end());
  // The exchange outlives the server's loops.
  exchange_->write("late");
  exchange_->finish();
  server_.reset();
  exchange_->abort();
}

TEST_F(LimitsTest, AnswersFiveHundredThreeWhereTheGraceIsOver) {
  Signal running, abandoned;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->on_abandoned([&] { abandoned.set(); });
    running.set();
  };
  serve();
  RawClient waiting = client();
  RawClient sending = client();
  sending.send("POST /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n");
  sending.read_through("100 Continue\r\n\r\n");
  waiting.send(kGet);
  ASSERT_TRUE(running.wait());
  server_->stop(0);
  EXPECT_TRUE(abandoned.is_set());
  for (RawClient* one : {&waiting, &sending}) {
    const RawReply reply = one->read_reply();
    EXPECT_EQ(reply.status, 503);
    EXPECT_TRUE(reply.complete);
    EXPECT_TRUE(reply.has("connection: close"));
    EXPECT_TRUE(one->at_end());
  }
}

// Writers continue while the server is stopped and destroyed.
TEST_F(StopTest, StopsUnderWriters) {
  for (int round = 0; round < 8; ++round) {
    std::vector<std::thread> writers;
    std::mutex mutex;
    std::atomic<bool> end{false};
    Signal all_running;
    handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
      const std::lock_guard lock(mutex);
      writers.emplace_back([&end, exchange] {
        exchange->start({});
        while (!end) exchange->write("0123456789");
        exchange->finish();
      });
      if (writers.size() == 4) all_running.set();
    };
    ServerOptions options = loopback_options();
    options.threads = 2;
    serve(options);
    std::vector<RawClient> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(client());
      clients.back().send(kGet);
    }
    ASSERT_TRUE(all_running.wait());
    for (auto& raw : clients) ASSERT_TRUE(raw.receive());
    server_.reset();
    end = true;
    for (auto& writer : writers) writer.join();
  }
}

}  // namespace
}  // namespace cloister::http
