// Another certificate for a running server.
#include <thread>

#include "base/clock.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "http/client.h"
#include "http/http_test_util.h"

namespace cloister::http {
namespace {

struct Made {
  net::TlsIdentity identity;
  ByteArray<32> spki{};
};

Made make(const std::string& name) {
  const auto key = crypto::EcKey::generate(crypto::Curve::kP256);
  crypto::CertificateSpec spec;
  spec.subject_common_name = spec.issuer_common_name = name;
  spec.not_before = system_clock().now() - 3600;
  spec.not_after = spec.not_before + 86400;
  spec.serial = {1, 2, 3};
  spec.dns_names = {"localhost"};
  const auto certificate = crypto::issue_certificate(spec, *key, *key);
  return {{certificate->to_pem(), key->to_pem()}, crypto::sha256(certificate->subject_public_key_info())};
}

class TlsChange : public testing::ServerTest {
 protected:
  void serve_tls() {
    ServerOptions options = testing::loopback_options();
    options.tls = std::make_shared<net::TlsIdentity>(old_.identity);
    serve(options);
  }
  Result<ClientResponse> get() const {
    Url url{.tls = true, .host = "127.0.0.1", .port = server_->port(), .base_path = {}};
    ClientOptions options;
    options.verify_web_pki = false;
    options.idle_timeout_s = 20;
    return Client(std::move(url), std::move(options)).get("/");
  }
  void expect_shown(const Made& made) const {
    const auto got = get();
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->tls_spki_sha256, made.spki);
  }

  const Made old_ = make("old"), new_ = make("new");
};

TEST_F(TlsChange, IsForNewConnectionsAndOldOnesGoOn) {
  testing::Signal started;
  std::shared_ptr<Exchange> running;
  handler_.on_request = [&](const std::shared_ptr<Exchange>& exchange) {
    exchange->start({});
    exchange->write("one ");
    running = exchange;
    started.set();
  };
  serve_tls();
  std::optional<Result<ClientResponse>> stream;
  std::thread client([&] { stream = get(); });
  ASSERT_TRUE(started.wait());
  ASSERT_TRUE(server_->set_tls(new_.identity));
  const auto old_exchange = std::move(running);
  handler_.on_request = [](const std::shared_ptr<Exchange>& exchange) { exchange->respond({}); };
  expect_shown(new_);
  old_exchange->write("two ");
  old_exchange->finish("three");
  client.join();
  ASSERT_TRUE(*stream) << stream->error().message;
  EXPECT_EQ((*stream)->body, "one two three");
  EXPECT_EQ((*stream)->tls_spki_sha256, old_.spki);
}

TEST_F(TlsChange, ABadPairChangesNothing) {
  serve_tls();
  const net::TlsIdentity mixed{new_.identity.certificate_chain_pem, old_.identity.private_key_pem};
  EXPECT_EQ(server_->set_tls(mixed).error().code, ErrorCode::kBadKey);
  EXPECT_EQ(server_->set_tls({"nonsense", new_.identity.private_key_pem}).error().code, ErrorCode::kBadCertificate);
  EXPECT_EQ(server_->set_tls({new_.identity.certificate_chain_pem, ""}).error().code, ErrorCode::kBadKey);
  expect_shown(old_);
  ASSERT_TRUE(server_->set_tls(new_.identity));
  expect_shown(new_);
}

TEST_F(TlsChange, MayComeAtAnyTime) {
  serve_tls();
  std::atomic<bool> over = false;
  std::thread changer([&] {
    for (int i = 0; !over; ++i) EXPECT_TRUE(server_->set_tls(i % 2 == 0 ? new_.identity : old_.identity));
  });
  for (int i = 0; i < 50; ++i) {
    const auto got = get();
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(got->tls_spki_sha256 == old_.spki || got->tls_spki_sha256 == new_.spki);
  }
  over = true;
  changer.join();
}

TEST_F(TlsChange, IsNothingForAPlainServer) {
  serve();
  EXPECT_EQ(server_->set_tls(new_.identity).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace cloister::http
