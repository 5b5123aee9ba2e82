// What a client sends at once does not keep the other connections of its loop waiting.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "http/http_test_util.h"

namespace cloister::http {
namespace {

using testing::RawClient;
using testing::Signal;

// The first request stops the only loop until everything else has been sent; then the order of the requests is recorded.
class TurnsTest : public testing::ServerTest {
 protected:
  void SetUp() override {
    handler_.on_request = [this](const std::shared_ptr<Exchange>& exchange) {
      const std::string& path = exchange->request().path;
      if (path == "/stop") {
        stopped_.set();
        EXPECT_TRUE(go_.wait());
      } else {
        const std::lock_guard lock(mutex_);
        order_.push_back(path);
      }
      exchange->respond({});
    };
    serve();
    stopping_.emplace(client());
    stopping_->send("GET /stop HTTP/1.1\r\nhost: x\r\n\r\n");
    ASSERT_TRUE(stopped_.wait());
  }
  // How many requests were answered before the one of this path.
  std::size_t before(std::string_view path) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::find(order_.begin(), order_.end(), path) - order_.begin());
  }

  Signal stopped_, go_;
  std::mutex mutex_;
  std::vector<std::string> order_;
  std::optional<RawClient> stopping_;
};

TEST_F(TurnsTest, ARequestIsAnsweredBetweenPipelinedOnesOfOthers) {
  constexpr std::size_t kClients = 8, kEach = 1000;
  std::string many;
  for (std::size_t i = 0; i < kEach; ++i) many += "GET /many HTTP/1.1\r\nhost: x\r\n\r\n";
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(client());
    ASSERT_TRUE(clients.back().send(many));
  }
  RawClient other = client();
  other.send("GET /one HTTP/1.1\r\nhost: x\r\n\r\n");
  go_.set();
  EXPECT_EQ(other.read_reply().status, 200);
  EXPECT_LE(before("/one"), kClients * 10);
  for (RawClient& one : clients) {
    for (std::size_t i = 0; i < kEach; ++i) ASSERT_EQ(one.read_reply().status, 200);
  }
}

TEST_F(TurnsTest, ARequestIsAnsweredBetweenTheSmallChunksOfAnother) {
  std::string body = "POST /chunks HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10'000; ++i) body += "1\r\nx\r\n";
  body += "0\r\n\r\n";
  RawClient chunks = client();
  ASSERT_TRUE(chunks.send(body));
  RawClient other = client();
  other.send("GET /one HTTP/1.1\r\nhost: x\r\n\r\n");
  go_.set();
  EXPECT_EQ(chunks.read_reply().status, 200);
  EXPECT_EQ(other.read_reply().status, 200);
  EXPECT_LT(before("/one"), before("/chunks"));
}

// A client that is reset leaves the queue; one that only closes its sending side has its replies first.
TEST_F(TurnsTest, AConnectionMayEndWhileItWaitsForItsTurn) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "GET /many HTTP/1.1\r\nhost: x\r\n\r\n";
  RawClient gone = client();
  ASSERT_TRUE(gone.send(many));
  gone.reset();
  RawClient last = client();
  ASSERT_TRUE(last.send(many + "GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
  last.shut_write();
  go_.set();
  for (int i = 0; i < 1001; ++i) ASSERT_EQ(last.read_reply().status, 200);
  EXPECT_TRUE(last.at_end());
}

}  // namespace
}  // namespace cloister::http
