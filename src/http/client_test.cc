// Tests the client with the server of this folder, and with servers that misbehave.
#include "http/client.h"

#include <atomic>
#include <thread>

#include "base/clock.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "http/http_test_util.h"

namespace cloister::http {
namespace {

using testing::loopback_options;
using testing::Signal;

Url local_url(std::uint16_t port, bool tls = false) {
  Url url;
  url.host = "127.0.0.1";
  url.port = port;
  url.tls = tls;
  return url;
}

ClientOptions quick() {
  ClientOptions options;
  options.connect_timeout_s = 5;
  options.idle_timeout_s = 5;
  options.verify_web_pki = false;
  return options;
}

// A server for one connection that sends fixed bytes and closes; or that continues with one byte after another until
// its client is gone.
class FixedServer {
 public:
  explicit FixedServer(std::string bytes, bool drips = false) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    ::listen(listener_, 1);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, drips, bytes = std::move(bytes)] {
      const int peer = ::accept(listener_, nullptr, nullptr);
      char request[4096];
      [[maybe_unused]] const ssize_t got = ::recv(peer, request, sizeof(request), 0);
      ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      while (drips && ::send(peer, "x", 1, MSG_NOSIGNAL) == 1)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ::shutdown(peer, SHUT_WR);
      ::close(peer);
    });
  }
  ~FixedServer() {
    thread_.join();
    ::close(listener_);
  }
  Result<ClientResponse> ask() { return Client(local_url(port_), quick()).get("/"); }
  Result<ClientResponse> ask_streaming(const ClientOptions& options) {
    return Client(local_url(port_), options).post_json_streaming("/", "{}", [](std::string_view) { return true; });
  }

 private:
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class ClientTest : public testing::ServerTest {
 protected:
  Client client_for(ClientOptions options = quick()) { return Client(local_url(server_->port()), std::move(options)); }
};

TEST_F(ClientTest, GetsAndPosts) {
  Request seen;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    seen = exchange->request();
    Response response;
    response.status = 418;
    response.headers = {{"X-Thing", "7"}};
    response.body = std::string("exact\0bytes", 11);
    exchange->respond(std::move(response));
  };
  serve();
  Url url = local_url(server_->port());
  url.base_path = "/base";
  ClientOptions options = quick();
  options.bearer_token = "secret-1";
  const Client client(url, options);
  const auto got = client.get("/v1/x?y=z");
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->status, 418);
  EXPECT_EQ(got->body, std::string("exact\0bytes", 11));
  EXPECT_EQ(find_header(got->headers, "x-thing"), "7");
  EXPECT_FALSE(got->tls_spki_sha256);
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.path, "/base/v1/x");
  EXPECT_EQ(seen.query, "y=z");
  EXPECT_EQ(seen.header("authorization"), "Bearer secret-1");
  EXPECT_EQ(seen.header("host"), "127.0.0.1:" + std::to_string(url.port));

  const std::string body(500000, 'j');
  const auto posted = client.post_json("/p", body);
  ASSERT_TRUE(posted) << posted.error().to_string();
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.body, body);
  EXPECT_EQ(seen.header("content-type"), "application/json");
}

TEST_F(ClientTest, StreamsAsTheBytesCome) {
  Signal first_seen;
  std::thread writer;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    writer = std::thread([&first_seen, exchange] {
      exchange->start({});
      exchange->write("one");
      EXPECT_TRUE(first_seen.wait());
      exchange->write("two");
      exchange->finish();
    });
  };
  serve();
  std::string pieces;
  const auto got = client_for().post_json_streaming("/", "{}", [&](std::string_view bytes) {
    pieces += bytes;
    pieces += '|';
    first_seen.set();
    return true;
  });
  writer.join();
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(pieces, "one|two|");
  EXPECT_EQ(got->body, "onetwo");
}

TEST_F(ClientTest, StopsAStreamAndTheServerIsTold) {
  Signal abandoned;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->on_abandoned([&] { abandoned.set(); });
    exchange->start({});
    exchange->write("one");
  };
  serve();
  const auto got = client_for().post_json_streaming("/", "{}", [](std::string_view) { return false; });
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->body, "one");
  EXPECT_TRUE(abandoned.wait());
}

TEST_F(ClientTest, TellsACutStreamFromAWholeOne) {
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    exchange->start({});
    exchange->write("part");
    exchange->abort();
  };
  serve();
  const auto got = client_for().get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kNetwork);
  EXPECT_NE(got.error().message.find("before the end of the response"), std::string::npos) << got.error().message;
}

TEST_F(ClientTest, BoundsTheResponse) {
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.body = std::string(1001, 'x');
    exchange->respond(std::move(response));
  };
  serve();
  ClientOptions options = quick();
  options.response_limit_bytes = 1001;
  EXPECT_TRUE(client_for(options).get("/"));
  options.response_limit_bytes = 1000;
  const auto got = client_for(options).get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTooLarge);
}

TEST_F(ClientTest, ReadsARefusalThatComesBeforeTheBodyIsSent) {
  handler_.on_admit = [](const RequestHead&) { return Admission{10, nullptr}; };
  serve();
  const auto got = client_for().post_json("/", std::string(20u << 20, 'x'));
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->status, 413);
}

TEST_F(ClientTest, TimesOut) {
  handler_.on_request = [](const std::shared_ptr<Exchange>&) {};
  serve();
  ClientOptions options = quick();
  options.idle_timeout_s = 1;
  const auto got = client_for(options).get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTimeout);
  EXPECT_NE(got.error().message.find("for 1 s"), std::string::npos) << got.error().message;
}

// A byte now and then: no read is idle for long, and the whole takes longer than allowed.
TEST_F(ClientTest, BoundsTheWholeExchange) {
  std::thread writer;
  Signal gone;
  std::atomic<bool> stop = false;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->on_abandoned([&] {
      stop = true;
      gone.set();
    });
    writer = std::thread([&stop, exchange] {
      exchange->start({});
      while (!stop) {
        exchange->write("x");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
  };
  serve();
  ClientOptions options = quick();
  options.total_timeout_s = 1;
  const auto got = client_for(options).get("/");
  EXPECT_TRUE(gone.wait());
  writer.join();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTimeout);
  EXPECT_NE(got.error().message.find("did not answer in full within 1 s"), std::string::npos) << got.error().message;
}

TEST_F(ClientTest, BoundsTheHeadOfAStreamAndNotItsBody) {
  std::thread writer;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    writer = std::thread([exchange] {
      exchange->start({});
      for (int i = 0; i < 30; ++i) {
        exchange->write("x");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
      exchange->finish();
    });
  };
  serve();
  ClientOptions options = quick();
  options.total_timeout_s = 1;
  const auto got = client_for(options).post_json_streaming("/", "{}", [](std::string_view) { return true; });
  writer.join();
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->body, std::string(30, 'x'));

  const auto slow = FixedServer("HTTP/1.1 200 OK\r\nx: ", true).ask_streaming(options);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, ErrorCode::kTimeout);
}

TEST_F(ClientTest, SaysWhyThereIsNoConnection) {
  serve();
  const Client client = client_for();
  const std::uint16_t port = server_->port();
  server_->stop(0);
  const auto got = client.get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kNetwork);
  EXPECT_EQ(got.error().message, "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_F(ClientTest, SendsNothingThatCouldBreakTheRequest) {
  serve();
  EXPECT_EQ(client_for().get("no-slash").error().code, ErrorCode::kBadUrl);
  EXPECT_EQ(client_for().get("/a b").error().code, ErrorCode::kBadUrl);
  EXPECT_EQ(client_for().get("/a\r\nx: y").error().code, ErrorCode::kBadUrl);
  ClientOptions options = quick();
  options.bearer_token = "a\r\nx: y";
  const auto got = client_for(options).get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kUsage);
  EXPECT_EQ(got.error().message.find("x: y"), std::string::npos);
  EXPECT_EQ(server_->stats().connections_total, 0u);
}

TEST(ClientParsing, TakesABodyThatEndsWithTheConnection) {
  const auto got = FixedServer("HTTP/1.0 200 OK\r\n\r\nto the end").ask();
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->body, "to the end");
}

TEST(ClientParsing, SkipsInterimResponses) {
  const auto got = FixedServer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nx: 1\r\n\r\nHTTP/1.1 200 "
                               "OK\r\ncontent-length: 2\r\n\r\nok")
                       .ask();
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "ok");
  EXPECT_FALSE(find_header(got->headers, "x"));
}

TEST(ClientParsing, RefusesWhatIsNotHttp) {
  for (const char* bytes :
       {"SSH-2.0-OpenSSH\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 600 Late\r\ncontent-length: 0\r\n\r\n"}) {
    const auto got = FixedServer(bytes).ask();
    ASSERT_FALSE(got) << bytes;
    EXPECT_EQ(got.error().code, ErrorCode::kBadHttp) << bytes;
  }
  for (const char* bytes : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc",
                            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    const auto got = FixedServer(bytes).ask();
    ASSERT_FALSE(got) << bytes;
    EXPECT_EQ(got.error().code, ErrorCode::kNetwork) << bytes;
  }
  EXPECT_FALSE(FixedServer("HTTP/1.1 200 OK\r\nx: " + std::string(100000, 'x') + "\r\n\r\n").ask());
}

class TlsTest : public testing::ServerTest {
 protected:
  void SetUp() override {
    auto key = crypto::EcKey::generate(crypto::Curve::kP256);
    ASSERT_TRUE(key) << key.error().to_string();
    crypto::CertificateSpec spec;
    spec.subject_common_name = spec.issuer_common_name = "cloister test";
    spec.not_before = system_clock().now() - 3600;
    spec.not_after = spec.not_before + 86400;
    spec.serial = {1, 2, 3};
    spec.dns_names = {"localhost"};
    auto certificate = crypto::issue_certificate(spec, *key, *key);
    ASSERT_TRUE(certificate) << certificate.error().to_string();
    spki_ = crypto::sha256(certificate->subject_public_key_info());
    auto identity = std::make_shared<net::TlsIdentity>();
    identity->certificate_chain_pem = certificate->to_pem();
    identity->private_key_pem = key->to_pem();
    identity_ = identity;
  }
  void serve_tls() {
    ServerOptions options = loopback_options();
    options.tls = identity_;
    serve(options);
  }
  Client client_for(ClientOptions options = quick()) { return Client(local_url(server_->port(), true), options); }

  std::shared_ptr<const net::TlsIdentity> identity_;
  ByteArray<32> spki_{};
};

TEST_F(TlsTest, GoesThereAndBack) {
  const std::string large(3u << 20, 't');
  handler_.on_admit = [](const RequestHead&) { return Admission{8u << 20, nullptr}; };
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    Response response;
    response.body = exchange->request().body;
    exchange->respond(std::move(response));
  };
  serve_tls();
  const auto got = client_for().post_json("/", large);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->body, large);
  ASSERT_TRUE(got->tls_spki_sha256);
  EXPECT_EQ(*got->tls_spki_sha256, spki_);
}

TEST_F(TlsTest, StreamsFromAnotherThread) {
  std::thread writer;
  auto observer = std::make_shared<testing::RecordingObserver>();
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->set_observer(observer);
    writer = std::thread([exchange] {
      exchange->start({});
      for (int i = 0; i < 20000; ++i) exchange->write("data: " + std::to_string(i) + "\n\n");
      exchange->finish();
    });
  };
  serve_tls();
  const auto got = client_for().get("/");
  writer.join();
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->body, observer->bytes());
  EXPECT_TRUE(got->body.ends_with("data: 19999\n\n"));
}

TEST_F(TlsTest, TellsTheServerThatTheClientIsGone) {
  Signal abandoned;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->on_abandoned([&] { abandoned.set(); });
    exchange->start({});
    exchange->write("one");
  };
  serve_tls();
  EXPECT_TRUE(client_for().post_json_streaming("/", "{}", [](std::string_view) { return false; }));
  EXPECT_TRUE(abandoned.wait());
}

TEST_F(TlsTest, ChecksTheWebsTrustWhenAsked) {
  serve_tls();
  ClientOptions options = quick();
  options.verify_web_pki = true;
  const auto got = client_for(options).get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kBadCertificate);
  EXPECT_NE(got.error().message.find("not trusted"), std::string::npos) << got.error().message;
}

// The key is compared in the handshake: a server with another key never sees the request.
TEST_F(TlsTest, ComparesThePinnedKeyBeforeAnythingIsWritten) {
  serve_tls();
  std::atomic<int> requests = 0;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    ++requests;
    exchange->respond({});
  };
  const auto ask = [&](const std::optional<ByteArray<32>>& pin, bool web_pki = false) {
    ClientOptions options = quick();
    options.pinned_spki_sha256 = pin;
    options.verify_web_pki = web_pki;
    options.bearer_token = "secret";
    return Client(local_url(server_->port(), true), options).post_json("/", "prompt");
  };
  const auto first = ask(std::nullopt);
  ASSERT_TRUE(first) << first.error().to_string();
  ASSERT_TRUE(first->tls_spki_sha256);
  EXPECT_TRUE(ask(first->tls_spki_sha256));
  EXPECT_EQ(requests, 2);
  ByteArray<32> other = *first->tls_spki_sha256;
  other[31] ^= 1;
  const auto refused = ask(other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadCertificate);
  EXPECT_NE(refused.error().message.find("another TLS key"), std::string::npos);
  // A pin does not replace the web's trust where that is required.
  const auto unknown = ask(first->tls_spki_sha256, true);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kBadCertificate);
  EXPECT_EQ(requests, 2);
}

TEST_F(ClientTest, NoKeyIsExpectedWithoutTls) {
  serve();
  ClientOptions options = quick();
  options.pinned_spki_sha256.emplace();
  const auto got = client_for(options).get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kUsage);
}

// Refused before a connection is tried: none of these servers would answer.
TEST(ClientPlainHttp, GoesAsFarAsItMay) {
  const auto refused = [](const char* host, PlainHttp how, std::string token = {}) {
    Url url = local_url(9);
    url.host = host;
    ClientOptions options = quick();
    options.connect_timeout_s = 1;
    options.plain_http = how;
    options.bearer_token = std::move(token);
    const auto got = Client(url, options).get("/");
    EXPECT_FALSE(got) << host;
    return !got && got.error().code == ErrorCode::kUsage;
  };
  for (const char* host : {"198.51.100.7", "2001:db8::1", "0.0.0.0", "::", "::ffff:198.51.100.7"}) {
    EXPECT_TRUE(refused(host, PlainHttp::kThisMachine)) << host;
    EXPECT_TRUE(refused(host, PlainHttp::kPrivateNetwork)) << host;
    EXPECT_TRUE(refused(host, PlainHttp::kAnywhere, "secret")) << host;
  }
  for (const char* host : {"10.255.255.1", "fd00:1::1"}) {
    EXPECT_TRUE(refused(host, PlainHttp::kThisMachine)) << host;
    EXPECT_TRUE(refused(host, PlainHttp::kAnywhere, "secret")) << host;
  }
  for (const char* host : {"127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1", "localhost"}) {
    EXPECT_FALSE(refused(host, PlainHttp::kThisMachine, "secret")) << host;
  }
}

TEST_F(TlsTest, EndsWhatIsNoTls) {
  serve_tls();
  testing::RawClient raw = client();
  raw.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_EQ(raw.read_to_end().find("HTTP/1.1 200"), std::string::npos);
  // The reverse case.
  server_.reset();
  serve();
  const auto got = client_for().get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kNetwork);
  EXPECT_NE(got.error().message.find("does not speak TLS"), std::string::npos) << got.error().message;
}

TEST_F(TlsTest, RefusesABadIdentity) {
  ServerOptions options = loopback_options();
  auto bad = std::make_shared<net::TlsIdentity>(*identity_);
  bad->private_key_pem = "nonsense";
  options.tls = bad;
  EXPECT_EQ(Server::start(options, handler_).error().code, ErrorCode::kBadKey);
  bad = std::make_shared<net::TlsIdentity>(*identity_);
  bad->certificate_chain_pem = "nonsense";
  options.tls = bad;
  EXPECT_EQ(Server::start(options, handler_).error().code, ErrorCode::kBadCertificate);
}

}  // namespace
}  // namespace cloister::http
