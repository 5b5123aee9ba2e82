// Requests to a TLS server: which servers are accepted, and that a server that is not accepted sees nothing of a request.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "http/outgoing_test_util.h"
#include "http/tcp_server_test_util.h"

namespace cloister::http {
namespace {

using testing::TcpPeer;
using testing::TcpServer;
using Roots = net::ServerTrust::Roots;

constexpr int kDay = 86400;

struct Authority {
  crypto::EcKey key = *crypto::EcKey::generate(crypto::Curve::kP256);
  std::string pem;

  Authority() {
    crypto::CertificateSpec spec;
    spec.subject_common_name = spec.issuer_common_name = "root";
    spec.not_before = system_clock().now() - 10 * kDay;
    spec.not_after = spec.not_before + 20 * kDay;
    spec.serial = {1};
    spec.is_ca = true;
    pem = crypto::issue_certificate(spec, key, key)->to_pem();
  }
};

struct Leaf {
  net::TlsIdentity identity;
  ByteArray<32> spki{};
};

// Valid from `age_days` ago on, for two days.
Leaf leaf_of(const Authority& root, std::vector<std::string> names, int age_days = 1) {
  const crypto::EcKey key = *crypto::EcKey::generate(crypto::Curve::kP256);
  crypto::CertificateSpec spec;
  spec.subject_common_name = "leaf";
  spec.issuer_common_name = "root";
  spec.not_before = system_clock().now() - age_days * kDay;
  spec.not_after = spec.not_before + 2 * kDay;
  spec.serial = {2};
  spec.dns_names = std::move(names);
  const crypto::Certificate certificate = *crypto::issue_certificate(spec, key, root.key);
  return {{certificate.to_pem(), key.to_pem()}, crypto::sha256(certificate.subject_public_key_info())};
}

class OutgoingTls : public testing::OutgoingLoopTest {
 protected:
  void TearDown() override {
    OutgoingLoopTest::TearDown();
    server_.reset();
  }
  void serve(const Leaf& leaf) {
    server_.reset();
    handler_.on_admit = [](const RequestHead&) { return Admission{64u << 20, nullptr}; };
    ServerOptions options = testing::loopback_options();
    options.tls = std::make_shared<net::TlsIdentity>(leaf.identity);
    auto server = Server::start(options, handler_);
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = std::move(*server);
  }
  static OutgoingRequest request_to(std::uint16_t port, net::ServerTrust trust, const std::string& host = "127.0.0.1") {
    auto target = resolve_tls(*parse_url("https://" + host + ":" + std::to_string(port)), std::move(trust));
    EXPECT_TRUE(target) << target.error().to_string();
    return request_for(*std::move(target));
  }
  std::shared_ptr<testing::RecordingOutgoing> ask(net::ServerTrust trust, const std::string& host = "127.0.0.1") {
    return run(request_to(server_->port(), std::move(trust), host));
  }
  static net::ServerTrust pin(const ByteArray<32>& spki) {
    return {.roots = Roots::kNone, .given_pem = {}, .pinned_spki_sha256 = spki};
  }
  static net::ServerTrust given(const Authority& root) { return {.roots = Roots::kGiven, .given_pem = root.pem}; }
  // The connection ended in the handshake, and the server has read no request.
  void expect_refused(const testing::RecordingOutgoing& sink, std::string_view why) {
    EXPECT_EQ(sink.failure(), OutgoingFailure::kTls);
    EXPECT_EQ(sink.error().code, ErrorCode::kBadCertificate);
    EXPECT_NE(sink.error().message.find(why), std::string::npos) << sink.error().message;
    EXPECT_FALSE(sink.head());
    EXPECT_EQ(server_->stats().requests_total, 0u);
  }

  const Authority root_;
  testing::ScriptHandler handler_;
  std::unique_ptr<Server> server_;
};

TEST_F(OutgoingTls, TakesTheServerOfThePinnedKeyAndKeepsTheConnection) {
  const Leaf leaf = leaf_of(root_, {"elsewhere"}, 9);
  serve(leaf);
  const OutgoingRequest request = request_to(server_->port(), pin(leaf.spki));
  for (int i = 0; i < 3; ++i) {
    const auto sink = run(request);
    ASSERT_FALSE(sink->failure()) << sink->error().message;
    EXPECT_EQ(sink->body(), "POST /x abcdef");
    EXPECT_EQ(sink->head()->tls_spki_sha256, leaf.spki);
    EXPECT_FALSE(sink->head()->leaves_machine_plain);
  }
  EXPECT_EQ(server_->stats().connections_total, 1u);
}

TEST_F(OutgoingTls, SendsNothingToAServerWithAnotherKey) {
  const Leaf leaf = leaf_of(root_, {"127.0.0.1"});
  serve(leaf);
  ByteArray<32> other = leaf.spki;
  other[31] ^= 1;
  expect_refused(*ask(pin(other)), "another TLS key");
  // The roots alone would accept this server.
  net::ServerTrust both = given(root_);
  both.pinned_spki_sha256 = other;
  expect_refused(*ask(both), "another TLS key");
}

TEST_F(OutgoingTls, VerifiesTheChainAgainstGivenRoots) {
  serve(leaf_of(root_, {"localhost", "127.0.0.1"}));
  EXPECT_FALSE(ask(given(root_))->failure());
  EXPECT_FALSE(ask(given(root_), "localhost")->failure());
}

TEST_F(OutgoingTls, RefusesAForeignCertificate) {
  serve(leaf_of(root_, {"127.0.0.1"}));
  expect_refused(*ask(given(Authority())), "not trusted");
  expect_refused(*ask({.roots = Roots::kSystem}), "not trusted");
}

TEST_F(OutgoingTls, RefusesAnExpiredCertificate) {
  serve(leaf_of(root_, {"127.0.0.1"}, 5));
  expect_refused(*ask(given(root_)), "expired");
}

TEST_F(OutgoingTls, RefusesACertificateForAnotherName) {
  serve(leaf_of(root_, {"elsewhere.example", "127.0.0.2"}));
  expect_refused(*ask(given(root_), "localhost"), "mismatch");
  expect_refused(*ask(given(root_)), "mismatch");
}

TEST_F(OutgoingTls, APinDoesNotReplaceTheRoots) {
  const Leaf leaf = leaf_of(root_, {"127.0.0.1"});
  serve(leaf);
  net::ServerTrust both = given(Authority());
  both.pinned_spki_sha256 = leaf.spki;
  expect_refused(*ask(both), "not trusted");
}

TEST_F(OutgoingTls, CarriesLargeBodiesBothWays) {
  const Leaf leaf = leaf_of(root_, {"127.0.0.1"});
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.body = exchange->request().body;
    exchange->respond(std::move(response));
  };
  serve(leaf);
  const std::string body(12u << 20, 'b');
  OutgoingRequest request = request_to(server_->port(), pin(leaf.spki));
  request.head = "POST / HTTP/1.1\r\nhost: y\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n";
  request.body = {body, {}, {}};
  const auto sink = run(request);
  ASSERT_FALSE(sink->failure()) << sink->error().message;
  EXPECT_TRUE(sink->body() == body);
}

TEST_F(OutgoingTls, AStreamThatIsCutIsNotWhole) {
  const Leaf leaf = leaf_of(root_, {"127.0.0.1"});
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    exchange->start({});
    exchange->write("part");
    exchange->abort();
  };
  serve(leaf);
  EXPECT_EQ(ask(pin(leaf.spki))->failure(), OutgoingFailure::kClosed);
}

// The beginning of a ServerHello that never goes on.
TEST_F(OutgoingTls, AServerThatStopsInTheHandshakeEndsInTimeAndBlocksNothing) {
  for (const std::string_view begin : {std::string_view(), std::string_view("\x16\x03\x03\x00\x7a\x02\x00\x00", 8)}) {
    std::atomic<std::size_t> hello_bytes = 0;
    TcpServer server([&](TcpPeer& peer) {
      hello_bytes = peer.wait_for_bytes();
      peer.send(begin);
      peer.client_closes();
    });
    OutgoingRequest request = request_to(server.port(), {.roots = Roots::kNone});
    request.connect_timeout_s = 1;
    const auto begun = std::chrono::steady_clock::now();
    const auto sink = start(request);
    on_loop_now([] {});
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(900));
    ASSERT_TRUE(sink->wait_end());
    EXPECT_EQ(sink->failure(), OutgoingFailure::kTlsTimeout);
    EXPECT_EQ(sink->error().code, ErrorCode::kTimeout);
    EXPECT_NE(sink->error().message.find("no TLS handshake with 127.0.0.1:"), std::string::npos);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
    EXPECT_GT(hello_bytes, 0u);
  }
}

TEST_F(OutgoingTls, SaysWhatIsNoTls) {
  TcpServer closing([](TcpPeer& peer) { peer.wait_for_bytes(); });
  const auto closed = run(request_to(closing.port(), {.roots = Roots::kNone}));
  EXPECT_EQ(closed->failure(), OutgoingFailure::kTls);
  EXPECT_EQ(closed->error().code, ErrorCode::kNetwork);
  TcpServer plain([](TcpPeer& peer) {
    peer.wait_for_bytes();
    peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    peer.client_closes();
  });
  const auto sink = run(request_to(plain.port(), {.roots = Roots::kNone}));
  EXPECT_EQ(sink->failure(), OutgoingFailure::kTls);
  EXPECT_NE(sink->error().message.find("does not speak TLS"), std::string::npos) << sink->error().message;
}

TEST(OutgoingTlsTarget, NeedsAnHttpsUrlAndRootsThatCanBeRead) {
  EXPECT_EQ(resolve_tls(*parse_url("http://127.0.0.1:1"), {}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(resolve_private(*parse_url("https://127.0.0.1:1")).error().code, ErrorCode::kUsage);
  for (const char* pem : {"", "nonsense", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"}) {
    const auto target = resolve_tls(*parse_url("https://127.0.0.1:1"), {.roots = Roots::kGiven, .given_pem = pem});
    ASSERT_FALSE(target) << pem;
    EXPECT_EQ(target.error().code, ErrorCode::kBadCertificate) << pem;
  }
  // A public address may be reached, since nothing goes there unencrypted.
  EXPECT_TRUE(resolve_tls(*parse_url("https://8.8.8.8:1"), {}));
}

}  // namespace
}  // namespace cloister::http
