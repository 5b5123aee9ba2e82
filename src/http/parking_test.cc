// Handlers that decide about a head later, from another thread.
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
constexpr std::uint64_t kLimit = 64u << 20;

struct Ticket final : Admitted {
  explicit Ticket(std::string text) : word(std::move(text)) {}
  const std::string word;
};

Parking::Decide admits(std::string client = {}) {
  return [client](const RequestHead& head) {
    return Admission{kLimit, nullptr, client, std::make_shared<Ticket>("seen " + head.path)};
  };
}

Parking::Decide refuses(int status) {
  return [status](const RequestHead&) {
    auto refusal = std::make_shared<Response>();
    refusal->status = status;
    return Admission{kLimit, std::move(refusal)};
  };
}

class ParkingTest : public testing::ServerTest {
 protected:
  // Parks what is below "/p" and admits the rest at once.
  void park_some(ServerOptions options = loopback_options()) {
    handler_.on_parking = [this](const RequestHead& head, Parking& parking) -> std::optional<Admission> {
      if (!head.path.starts_with("/p")) return admits()(head);
      const std::lock_guard lock(mutex_);
      resumes_.push_back(parking.park());
      return std::nullopt;
    };
    handler_.on_request = [this](const std::shared_ptr<Exchange>& exchange) {
      handled_.fetch_add(1);
      Response response;
      response.body =
          static_cast<Ticket&>(*exchange->admitted()).word + " " + std::to_string(exchange->request().body.size());
      exchange->respond(std::move(response));
    };
    serve(options);
  }
  // The function that was taken as the given one in turn; empty when none comes.
  Parking::Resume resume(std::size_t turn = 0) {
    until([&] { return taken() > turn; });
    const std::lock_guard lock(mutex_);
    return turn < resumes_.size() ? resumes_[turn] : Parking::Resume();
  }
  std::size_t taken() {
    const std::lock_guard lock(mutex_);
    return resumes_.size();
  }
  template <typename Condition>
  static bool until(Condition condition) {
    for (int i = 0; i < 4000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return condition();
  }
  bool all_gone() {
    return until([this] { return server_->stats().connections_open == 0; });
  }

  std::mutex mutex_;
  std::vector<Parking::Resume> resumes_;
  std::atomic<int> handled_{0};
};

TEST_F(ParkingTest, ADecisionFromAnotherThreadServesTheRequest) {
  park_some();
  RawClient raw = client();
  for (std::size_t turn = 0; turn < 3; ++turn) {
    raw.send("POST /p" + std::to_string(turn) + " HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody");
    const Parking::Resume later = resume(turn);
    ASSERT_TRUE(later);
    EXPECT_FALSE(raw.has_input(20));
    std::thread([&] { later(admits()); }).join();
    EXPECT_EQ(raw.read_reply().body, "seen /p" + std::to_string(turn) + " 4");
  }
  EXPECT_EQ(server_->stats().connections_total, 1u);
}

TEST_F(ParkingTest, TheDecisionIsMadeOnTheLoopWithTheHead) {
  park_some();
  RawClient raw = client();
  raw.send("GET /p?q=1 HTTP/1.1\r\nhost: x\r\nx-word: here\r\n\r\n");
  std::thread::id loop;
  std::string word;
  resume()([&](const RequestHead& head) {
    loop = std::this_thread::get_id();
    word = std::string(head.header("x-word").value_or("")) + " " + head.query;
    return admits()(head);
  });
  EXPECT_EQ(raw.read_reply().status, 200);
  EXPECT_NE(loop, std::this_thread::get_id());
  EXPECT_NE(loop, std::thread::id());
  EXPECT_EQ(word, "here q=1");
}

TEST_F(ParkingTest, ADecisionMayComeBeforeTheHandlerReturnsAndCountsOnce) {
  park_some();
  handler_.on_parking = [](const RequestHead&, Parking& parking) {
    const Parking::Resume later = parking.park();
    std::thread([&] { later(admits()); }).join();
    later(refuses(401));
    parking.park()(refuses(403));
    return std::optional<Admission>();
  };
  RawClient raw = client();
  for (int i = 0; i < 3; ++i) {
    raw.send(kGet);
    EXPECT_EQ(raw.read_reply().body, "seen /a 0");
  }
}

// What the handler returns counts, even when it has taken the function as well.
TEST_F(ParkingTest, AnAnswerAtOnceCounts) {
  park_some();
  handler_.on_parking = [](const RequestHead& head, Parking& parking) {
    parking.park()(refuses(401));
    return std::optional<Admission>(admits()(head));
  };
  RawClient raw = client();
  for (int i = 0; i < 3; ++i) {
    raw.send(kGet);
    EXPECT_EQ(raw.read_reply().body, "seen /a 0");
  }
}

TEST_F(ParkingTest, ARefusalLaterKeepsTheConnectionWhereThereIsNoBody) {
  park_some();
  RawClient raw = client();
  raw.send("GET /p HTTP/1.1\r\nhost: x\r\n\r\n");
  resume()(refuses(401));
  EXPECT_EQ(raw.read_reply().status, 401);
  raw.send(kGet);
  EXPECT_EQ(raw.read_reply().status, 200);
  // The unread body must not be taken for a request.
  raw.send("POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 30\r\n\r\nGET /a HTTP/1.1\r\nhost: x\r\n\r\n");
  resume(1)(refuses(401));
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, 401);
  EXPECT_TRUE(reply.has("connection: close"));
  EXPECT_TRUE(raw.at_end());
  EXPECT_EQ(handled_, 1);
}

TEST_F(ParkingTest, ALimitOnTheBodyHoldsLater) {
  park_some();
  const auto short_bodies = [](const RequestHead&) {
    return Admission{3, nullptr, {}, std::make_shared<Ticket>("short")};
  };
  RawClient raw = client();
  raw.send("POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody");
  resume(0)(short_bodies);
  EXPECT_EQ(raw.read_reply().status, 413);
  RawClient chunked = client();
  chunked.send("POST /p HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n");
  resume(1)(short_bodies);
  EXPECT_EQ(chunked.read_reply().status, 413);
  EXPECT_EQ(handled_, 0);
}

TEST_F(ParkingTest, AClientThatLeavesEndsTheWait) {
  park_some();
  std::atomic<int> decided{0};
  const auto decide = [&](const RequestHead& head) {
    ++decided;
    return admits()(head);
  };
  for (const bool resets : {false, true}) {
    RawClient raw = client();
    raw.send("GET /p HTTP/1.1\r\nhost: x\r\n\r\n");
    const Parking::Resume later = resume(resets ? 1 : 0);
    ASSERT_TRUE(later);
    resets ? raw.reset() : raw.close();
    EXPECT_TRUE(all_gone());
    later(decide);
  }
  EXPECT_EQ(ask(kGet).status, 200) << "the loop has had its turn";
  EXPECT_EQ(decided, 0);
}

TEST_F(ParkingTest, ADecisionThatComesTooLateIsIgnored) {
  ServerOptions options = loopback_options();
  options.admission_timeout_s = 1;
  park_some(options);
  RawClient raw = client();
  raw.send("POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody");
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_TRUE(reply.has("connection: close"));
  EXPECT_NE(reply.body.find("not admitted in time"), std::string::npos) << reply.body;
  resume()(admits());
  EXPECT_TRUE(raw.at_end());
  EXPECT_EQ(ask(kGet).status, 200);
  EXPECT_EQ(handled_, 1) << "the other request alone";
}

// The time that a client may take for its body begins with the admission.
TEST_F(ParkingTest, ABodyHasItsTimeAfterTheWait) {
  ServerOptions options = loopback_options();
  options.header_timeout_s = options.body_idle_timeout_s = options.body_timeout_s = 1;
  park_some(options);
  RawClient raw = client();
  raw.send("POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbo");
  const Parking::Resume later = resume();
  EXPECT_FALSE(raw.has_input(3000));
  later(admits());
  raw.send("dy");
  EXPECT_EQ(raw.read_reply().body, "seen /p 4");
  raw.send("POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbo");
  resume(1)(admits());
  EXPECT_EQ(raw.read_reply().status, 408);
}

TEST_F(ParkingTest, RequestsSentAheadFollowInOrder) {
  park_some();
  RawClient raw = client();
  raw.send("POST /p1 HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"
           "GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
           "GET /p2 HTTP/1.1\r\nhost: x\r\n\r\n"
           "GET /b HTTP/1.1\r\nhost: x\r\n\r\n");
  const Parking::Resume first = resume();
  EXPECT_FALSE(raw.has_input(20));
  EXPECT_EQ(taken(), 1u) << "the next one is not looked at";
  first(admits());
  EXPECT_EQ(raw.read_reply().body, "seen /p1 4");
  EXPECT_EQ(raw.read_reply().body, "seen /a 0");
  resume(1)(refuses(404));
  EXPECT_EQ(raw.read_reply().status, 404);
  EXPECT_EQ(raw.read_reply().body, "seen /b 0");
}

TEST_F(ParkingTest, ALargeBodyIsNotReadUntilItIsAdmitted) {
  ServerOptions options = loopback_options();
  options.body_bytes_of_client = options.body_bytes_in_flight = 2 * kLimit;
  park_some(options);
  RawClient raw = client();
  constexpr std::size_t kSize = 48u << 20;
  std::string body(kSize, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i / 1000 % 26);
  Request seen;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    seen.body = exchange->request().body;
    exchange->respond({});
  };
  raw.send("POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: " + std::to_string(kSize) + "\r\n\r\n");
  const Parking::Resume later = resume();
  ASSERT_TRUE(later);
  std::atomic<std::size_t> sent{0};
  std::thread writer([&] {
    for (; sent < kSize; sent += 64u << 10) {
      if (!raw.send(std::string_view(body).substr(sent, 64u << 10))) return;
    }
  });
  // The kernel's buffers on both sides fill up, and then nothing more is taken.
  std::size_t before = 1;
  while (before != sent) {
    before = sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  EXPECT_LT(sent, kSize / 2);
  later(admits());
  writer.join();
  EXPECT_EQ(raw.read_reply().status, 200);
  EXPECT_EQ(seen.body, body);
}

TEST_F(ParkingTest, ContinueIsSaidAfterTheAdmission) {
  park_some();
  RawClient raw = client();
  raw.send("POST /p HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
  const Parking::Resume later = resume();
  EXPECT_FALSE(raw.has_input(50));
  later(admits());
  EXPECT_EQ(raw.read_through("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("ok");
  EXPECT_EQ(raw.read_reply().body, "seen /p 2");
  raw.send("POST /p HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
  resume(1)(refuses(401));
  EXPECT_TRUE(raw.read_through("\r\n\r\n").starts_with("HTTP/1.1 401 "));
  // A client that did not wait needs no word.
  RawClient hasty = client();
  hasty.send("POST /p HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
  const Parking::Resume third = resume(2);
  hasty.send("ok");
  third(admits());
  EXPECT_EQ(hasty.read_reply().body, "seen /p 2");
}

TEST_F(ParkingTest, APlaceIsGivenUpWhileParked) {
  ServerOptions options = loopback_options();
  options.max_connections = 4;
  park_some(options);
  std::vector<RawClient> parked;
  for (std::size_t i = 0; i < 3; ++i) {
    parked.push_back(client());
    parked.back().send("GET /p HTTP/1.1\r\nhost: x\r\n\r\n");
    ASSERT_TRUE(resume(i));
  }
  RawClient second(server_->port(), 0, 2);
  second.send(kGet);
  EXPECT_EQ(second.read_reply().status, 200);
  RawClient third(server_->port(), 0, 3);
  third.send(kGet);
  EXPECT_EQ(third.read_reply().status, 200);
  EXPECT_TRUE(parked[0].at_end()) << "the one that has waited longest";
  for (std::size_t i = 0; i < 3; ++i) resume(i)(admits());
  for (std::size_t i = 1; i < 3; ++i) EXPECT_EQ(parked[i].read_reply().body, "seen /p 0");
}

TEST_F(ParkingTest, IsServedWhileTheServerDrains) {
  park_some();
  RawClient raw = client();
  raw.send("POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbo");
  const Parking::Resume later = resume();
  RawClient idle = client();
  idle.send(kGet);
  EXPECT_EQ(idle.read_reply().status, 200);
  std::thread stopper([&] { server_->stop(20); });
  EXPECT_TRUE(idle.at_end());
  raw.send("dy");
  later(admits());
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.body, "seen /p 4");
  EXPECT_TRUE(reply.has("connection: close"));
  raw.close();
  stopper.join();
}

TEST_F(ParkingTest, EndsWithTheServerAndADecisionMayStillCome) {
  park_some();
  RawClient raw = client();
  raw.send("GET /p HTTP/1.1\r\nhost: x\r\n\r\n");
  const Parking::Resume later = resume();
  server_->stop(0);
  EXPECT_EQ(raw.read_reply().status, 503);
  EXPECT_TRUE(raw.at_end());
  later(admits());
  RawClient none(server_->port());
  server_.reset();
  later(admits());
  EXPECT_EQ(handled_, 0);
}

// Threads decide while clients leave and the server is stopped and destroyed.
TEST_F(ParkingTest, StopsUnderDecisions) {
  for (int round = 0; round < 20; ++round) {
    resumes_.clear();
    ServerOptions options = loopback_options();
    options.threads = 2;
    park_some(options);
    std::vector<RawClient> clients;
    for (int i = 0; i < 24; ++i) {
      clients.push_back(client());
      clients.back().send("POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nok");
    }
    ASSERT_TRUE(resume(23));
    std::vector<std::thread> deciders;
    for (std::size_t part = 0; part < 3; ++part) {
      deciders.emplace_back([this, part] {
        for (std::size_t i = part; i < 24; i += 3) resumes_[i](i % 2 == 0 ? admits() : refuses(401));
      });
    }
    for (std::size_t i = 0; i < 24; i += 5) clients[i].close();
    server_.reset();
    for (std::thread& decider : deciders) decider.join();
  }
}

class PostTest : public ParkingTest {};

TEST_F(PostTest, AJobRunsOnTheLoopUnlessTheExchangeHasEnded) {
  Signal abandoned;
  std::shared_ptr<Exchange> kept;
  std::thread::id loop;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    loop = std::this_thread::get_id();
    kept = exchange;
    exchange->on_abandoned([&] { abandoned.set(); });
    handled_.fetch_add(1);
  };
  serve();
  RawClient raw = client();
  raw.send(kGet);
  ASSERT_TRUE(until([&] { return handled_ == 1; }));
  std::thread::id here;
  kept->post([&, exchange = kept] {
    here = std::this_thread::get_id();
    exchange->respond({});
  });
  EXPECT_EQ(raw.read_reply().status, 200);
  EXPECT_EQ(here, loop);
  raw.close();
  ASSERT_TRUE(all_gone());
  std::atomic<int> ran{0};
  kept->post([&] { ++ran; });
  RawClient again = client();
  again.send(kGet);
  ASSERT_TRUE(until([&] { return handled_ == 2; }));
  server_->stop(0);
  EXPECT_TRUE(abandoned.is_set());
  kept->post([&] { ++ran; });
  server_.reset();
  kept->post([&] { ++ran; });
  EXPECT_EQ(ran, 0);
}

}  // namespace
}  // namespace cloister::http
