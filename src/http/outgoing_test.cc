#include "http/outgoing.h"

#include <gtest/gtest.h>

#include <netinet/in.h>

#include <cstring>
#include <optional>

#include "http/outgoing_test_util.h"
#include "http/tcp_server_test_util.h"

namespace cloister::http {
namespace {

using testing::RecordingOutgoing;
using testing::TcpPeer;
using testing::TcpServer;

constexpr const char* kBuffered =
    "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX-Secret: s\r\nContent-Length: 5\r\n\r\nhello";

class OutgoingTest : public testing::OutgoingLoopTest {
 protected:
  static OutgoingRequest request_to(std::uint16_t port) {
    auto target = resolve_private(*parse_url("http://127.0.0.1:" + std::to_string(port)));
    EXPECT_TRUE(target);
    return request_for(*std::move(target));
  }
  // The result for a reply of these bytes; the connection is closed after them.
  std::shared_ptr<RecordingOutgoing> run_reply(const std::string& reply, std::size_t piece = 1 << 20) {
    TcpServer server([&](TcpPeer& peer) {
      peer.read_request();
      peer.send_in_pieces(reply, piece);
    });
    return run(request_to(server.port()));
  }
};

TEST_F(OutgoingTest, SendsThePiecesAndKeepsTheConnection) {
  std::string seen;
  TcpServer server([&](TcpPeer& peer) {
    for (std::string request; !(request = peer.read_request()).empty();) {
      seen = request;
      peer.send(kBuffered);
    }
  });
  OutgoingRequest request = request_to(server.port());
  for (int i = 0; i < 3; ++i) {
    const auto sink = run(request);
    EXPECT_FALSE(sink->failure());
    EXPECT_EQ(sink->head()->status, 200);
    EXPECT_EQ(sink->head()->length, 5u);
    EXPECT_EQ(sink->head()->headers, (Headers{{"content-type", "a/b"}}));
    EXPECT_EQ(sink->body(), "hello");
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(seen, request.head + "abcdef");
  request.fresh_connection = true;
  run(request);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(OutgoingTest, ReadsEveryFraming) {
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nX-T: 1\r\n\r\n";
  for (std::size_t piece : {1u, 3u, 4096u}) {
    const auto sink = run_reply(chunked, piece);
    EXPECT_FALSE(sink->failure()) << piece;
    EXPECT_EQ(sink->body(), "abc0123456789abcdef") << piece;
    EXPECT_FALSE(sink->head()->length);
    EXPECT_FALSE(sink->head()->ends_with_connection);
  }
  const auto closed = run_reply("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  EXPECT_FALSE(closed->failure());
  EXPECT_EQ(closed->body(), "until the end");
  EXPECT_TRUE(closed->head()->ends_with_connection);
  const auto interim = run_reply("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + std::string(kBuffered), 7);
  EXPECT_EQ(interim->head()->status, 200);
  EXPECT_EQ(interim->body(), "hello");
  const auto none = run_reply("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_FALSE(none->failure());
  EXPECT_EQ(none->head()->status, 204);
}

TEST_F(OutgoingTest, SaysHowAReplyBroke) {
  struct Case {
    const char* reply;
    OutgoingFailure failure;
  };
  const Case cases[] = {
      {"", OutgoingFailure::kClosed},
      {"HTTP/1.1 200 OK\r\nContent-Le", OutgoingFailure::kClosed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", OutgoingFailure::kClosed},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", OutgoingFailure::kClosed},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello", OutgoingFailure::kMalformed},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", OutgoingFailure::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       OutgoingFailure::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", OutgoingFailure::kMalformed},
      {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", OutgoingFailure::kMalformed},
      {"SSH-2.0-OpenSSH\r\n", OutgoingFailure::kMalformed},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", OutgoingFailure::kMalformed},
      {"HTTP/1.1 099 Early\r\n\r\n", OutgoingFailure::kMalformed},
      {"HTTP/1.1 600 Late\r\nContent-Length: 0\r\n\r\n", OutgoingFailure::kMalformed},
      {"data: {}\n\n", OutgoingFailure::kMalformed},
  };
  for (const Case& c : cases) {
    const auto sink = run_reply(c.reply);
    ASSERT_TRUE(sink->failure()) << c.reply;
    EXPECT_EQ(*sink->failure(), c.failure) << c.reply;
    EXPECT_TRUE(sink->ended_once()) << c.reply;
  }
  const auto huge = run_reply("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(huge->failure(), OutgoingFailure::kMalformed);
  std::string interims;
  for (int i = 0; i < 20; ++i) interims += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(run_reply(interims + kBuffered)->failure(), OutgoingFailure::kMalformed);
}

TEST_F(OutgoingTest, BytesBehindAReplyEndTheConnection) {
  TcpServer server([](TcpPeer& peer) {
    while (!peer.read_request().empty()) peer.send(std::string(kBuffered) + "HTTP/1.1 200 OK\r\n");
  });
  const OutgoingRequest request = request_to(server.port());
  for (int i = 0; i < 2; ++i) {
    const auto sink = run(request);
    EXPECT_FALSE(sink->failure());
    EXPECT_EQ(sink->body(), "hello");
  }
  EXPECT_EQ(server.connections(), 2) << "none was used again";
}

TEST_F(OutgoingTest, AKeptConnectionThatEndsIsStale) {
  TcpServer server([](TcpPeer& peer) {
    peer.read_request();
    peer.send(kBuffered);
    peer.read_request();  // the second one gets no answer
  });
  const OutgoingRequest request = request_to(server.port());
  EXPECT_FALSE(run(request)->failure());
  EXPECT_EQ(run(request)->failure(), OutgoingFailure::kStale);
}

TEST_F(OutgoingTest, ConnectionClosedWhileIdleIsNotUsed) {
  TcpServer server([](TcpPeer& peer) {
    peer.read_request();
    peer.send(kBuffered);
  });
  const OutgoingRequest request = request_to(server.port());
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(run(request)->failure());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the end of the connection comes separately
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(OutgoingTest, NobodyListens) {
  const auto sink = run(request_to(testing::closed_port()));
  EXPECT_EQ(sink->failure(), OutgoingFailure::kConnect);
  EXPECT_EQ(sink->error().code, ErrorCode::kNetwork);
  EXPECT_TRUE(sink->error().message.ends_with(": Connection refused")) << sink->error().message;
}

TEST_F(OutgoingTest, TriesOneAddressAfterTheOther) {
  TcpServer server([](TcpPeer& peer) {
    peer.read_request();
    peer.send(kBuffered);
  });
  OutgoingTarget target = *resolve_private(*parse_url("http://127.0.0.1:" + std::to_string(testing::closed_port())));
  target.addresses.push_back(target.addresses[0]);
  target.addresses.push_back(*request_to(server.port()).target->addresses.begin());
  const auto sink = run(request_for(target));
  EXPECT_FALSE(sink->failure());
  EXPECT_EQ(sink->body(), "hello");
}

TEST_F(OutgoingTest, SilenceEndsInTime) {
  testing::Signal over;
  for (const char* begin : {"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"}) {
    TcpServer server([&](TcpPeer& peer) {
      peer.read_request();
      peer.send(begin);
      peer.client_closes();
    });
    OutgoingRequest request = request_to(server.port());
    request.first_byte_timeout_s = request.idle_timeout_s = 1;
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(run(request)->failure(), OutgoingFailure::kTimeout);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  }
}

TEST_F(OutgoingTest, ASilenceBeforeTheHeadCanHaveALimitOfItsOwn) {
  TcpServer server([&](TcpPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n");
    peer.client_closes();
  });
  OutgoingRequest request = request_to(server.port());
  request.head_idle_timeout_s = 1;
  const auto begun = std::chrono::steady_clock::now();
  const auto sink = run(request);
  EXPECT_EQ(sink->failure(), OutgoingFailure::kTimeout);
  EXPECT_TRUE(sink->error().message.ends_with("sent nothing for 1 s")) << sink->error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_F(OutgoingTest, CancellingClosesAtOnce) {
  testing::Signal closed;
  TcpServer server([&](TcpPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    if (peer.client_closes()) closed.set();
  });
  const auto sink = start(request_to(server.port()));
  ASSERT_TRUE(sink->wait_bytes(5));
  on_loop_now([&] { call_->cancel(); });
  EXPECT_TRUE(closed.wait(1));
  on_loop_now([&] { call_->cancel(); });  // a second call does nothing
  EXPECT_FALSE(sink->ended_once());
}

TEST_F(OutgoingTest, CancellingFromInsideACallback) {
  TcpServer server([](TcpPeer& peer) {
    peer.read_request();
    peer.send(kBuffered);
    peer.client_closes();
  });
  auto sink = std::make_shared<RecordingOutgoing>();
  testing::Signal cancelled;
  sink->during_head = [&] {
    call_->cancel();
    cancelled.set();
  };
  on_loop_now([&] { call_ = send(loop_, request_to(server.port()), sink); });
  ASSERT_TRUE(cancelled.wait());
  on_loop_now([] {});
  EXPECT_EQ(sink->received(), 0u);
}

TEST_F(OutgoingTest, APausedReaderHoldsTheServerBack) {
  constexpr std::size_t kAll = 64u << 20;
  std::atomic<std::size_t> sent{0};
  TcpServer server([&](TcpPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kAll) + "\r\n\r\n");
    const std::string block(1 << 16, 'x');
    for (; sent < kAll; sent += block.size()) {
      if (!peer.send(block)) return;
    }
  });
  const auto sink = start(request_to(server.port()));
  ASSERT_TRUE(sink->wait_bytes(1));
  on_loop_now([&] { call_->pause(); });
  // Until the sockets are full.
  for (std::size_t before = 1; before != sent;) {
    before = sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_LT(sent, kAll) << "what a kernel takes for two sockets is far less";
  const std::size_t held = sink->received();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(sink->received(), held);
  on_loop_now([&] { call_->resume(); });
  ASSERT_TRUE(sink->wait_end());
  EXPECT_FALSE(sink->failure());
  EXPECT_EQ(sink->received(), kAll);
}

TEST_F(OutgoingTest, ALargeBodyAndAnEarlyAnswer) {
  const auto body = std::make_shared<const std::string>(16u << 20, 'b');
  OutgoingRequest request;
  std::size_t got = 0;
  TcpServer whole([&](TcpPeer& peer) {
    got = peer.read_request().size();
    peer.send(kBuffered);
  });
  request = request_to(whole.port());
  request.head = "POST / HTTP/1.1\r\nhost: y\r\ncontent-length: " + std::to_string(body->size()) + "\r\n\r\n";
  request.body = {*body, {}, {}};
  request.body_owner = body;
  EXPECT_FALSE(run(request)->failure());
  EXPECT_EQ(got, request.head.size() + body->size());

  TcpServer early([](TcpPeer& peer) {
    peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    peer.client_closes();
  });
  request.target = request_to(early.port()).target;
  const auto refused = run(request);
  EXPECT_FALSE(refused->failure());
  EXPECT_EQ(refused->head()->status, 413);
  EXPECT_EQ(refused->body(), "no");
}

// A hosts file or a name server could give it any private address.
TEST(OutgoingAddress, LocalhostIsNotLookedUp) {
  const auto target = resolve_private(*parse_url("http://localhost:80"));
  ASSERT_TRUE(target);
  ASSERT_EQ(target->addresses.size(), 1u);
  ASSERT_EQ(target->addresses[0].storage.ss_family, AF_INET);
  sockaddr_in address{};
  std::memcpy(&address, &target->addresses[0].storage, sizeof(address));
  EXPECT_EQ(ntohl(address.sin_addr.s_addr), 0x7f000001u);
}

TEST(OutgoingAddress, OnlyPrivateOnes) {
  for (const char* url :
       {"http://127.0.0.1:1", "http://10.1.2.3:1", "http://172.31.0.1:1", "http://192.168.1.1:1", "http://[::1]:1",
        "http://[fd00::1]:1", "http://[fe80::1]:1", "http://100.64.0.1:1", "http://localhost:1"}) {
    EXPECT_TRUE(resolve_private(*parse_url(url))) << url;
  }
  for (const char* url : {"http://8.8.8.8:1", "http://172.32.0.1:1", "http://[2001:db8::1]:1", "http://0.0.0.0:1",
                          "http://[::]:1", "http://[::ffff:8.8.8.8]:1", "http://192.169.0.1:1"}) {
    const auto target = resolve_private(*parse_url(url));
    ASSERT_FALSE(target) << url;
    EXPECT_EQ(target.error().code, ErrorCode::kUsage) << url;
  }
  EXPECT_EQ(authority_of(*parse_url("http://[::1]:80")), "[::1]:80");
}

}  // namespace
}  // namespace cloister::http
