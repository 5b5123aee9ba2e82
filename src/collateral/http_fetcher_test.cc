// Tests the fetcher with real servers on this machine, including faulty ones.
#include "collateral/http_fetcher.h"

#include "base/file.h"
#include "collateral/collateral_test_util.h"

namespace cloister::collateral {
namespace {

using testing::FixedServer;

Result<FetchResponse> get(const std::string& url, std::size_t limit_bytes = 1u << 20, int timeout_ms = 10'000,
                          HttpFetcherOptions options = {}) {
  FetchRequest request;
  request.url = url;
  request.limit_bytes = limit_bytes;
  request.timeout_ms = timeout_ms;
  return make_http_fetcher(std::move(options))->fetch(request);
}

Result<FetchResponse> get_fixed(std::string bytes) {
  testing::forget_proxies();
  FixedServer server(std::move(bytes));
  return get(server.base() + "/");
}

class HttpFetcherTest : public testing::ReplayTest {};

TEST_F(HttpFetcherTest, GetsStatusHeadersAndBytes) {
  on("/a?b=c", 200, std::string("exact\0bytes", 11), {{"X-Thing", " padded "}});
  const auto got = get(base() + "/a?b=c");
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, std::string("exact\0bytes", 11));
  EXPECT_EQ(http::find_header(got->headers, "x-thing"), "padded");
  EXPECT_EQ(last_request().header("user-agent"), "cloister/" CLOISTER_VERSION);
  EXPECT_EQ(last_request().header("accept-encoding"), std::nullopt);
  const auto missing = get(base() + "/none");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status, 404);
}

TEST_F(HttpFetcherTest, PostsBytes) {
  on("/ocsp", 200, "answer");
  FetchRequest request;
  request.url = base() + "/ocsp";
  request.post = true;
  request.body = std::string("\x30\x00\xff", 3);
  request.content_type = "application/ocsp-request";
  request.accept = "application/ocsp-response";
  request.bearer_token = "key-1";
  const auto got = make_http_fetcher({})->fetch(request);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->body, "answer");
  EXPECT_EQ(last_request().method, "POST");
  EXPECT_EQ(last_request().body, request.body);
  EXPECT_EQ(last_request().header("content-type"), "application/ocsp-request");
  EXPECT_EQ(last_request().header("accept"), "application/ocsp-response");
  EXPECT_EQ(last_request().header("authorization"), "Bearer key-1");
}

TEST_F(HttpFetcherTest, FollowsNoRedirect) {
  on("/here", 302, "", {{"Location", "http://127.0.0.1/elsewhere\x01"}});
  on("/elsewhere", 200, "no");
  const auto got = get(base() + "/here");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kBadHttp);
  EXPECT_NE(got.error().message.find("a redirect to http://127.0.0.1/elsewhere"), std::string::npos);
  EXPECT_EQ(asked("/elsewhere"), 0);
}

TEST_F(HttpFetcherTest, BoundsTheBody) {
  on("/large", 200, std::string(1001, 'x'));
  EXPECT_TRUE(get(base() + "/large", 1001));
  const auto got = get(base() + "/large", 1000);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTooLarge);
  // The same limit holds where the length is not announced.
  EXPECT_EQ(get_fixed("HTTP/1.1 200 OK\r\n\r\n" + std::string(2u << 20, 'x')).error().code, ErrorCode::kTooLarge);
}

TEST_F(HttpFetcherTest, BoundsTheHeaders) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 100; ++i) many += "x-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
  EXPECT_EQ(get_fixed(many + "\r\n").error().code, ErrorCode::kTooLarge);
}

TEST_F(HttpFetcherTest, TimesOut) {
  hang_on("/slow");
  const auto got = get(base() + "/slow", 1000, 200);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTimeout);
}

TEST_F(HttpFetcherTest, SaysWhyThereIsNoConnection) {
  std::uint16_t port = 0;
  {
    FixedServer gone("");
    port = gone.port();
    EXPECT_FALSE(get(gone.base()));
  }
  const auto got = get("http://127.0.0.1:" + std::to_string(port) + "/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kNetwork);
  EXPECT_NE(got.error().message.find("127.0.0.1"), std::string::npos) << got.error().message;
}

TEST_F(HttpFetcherTest, TellsATruncatedBodyFromAWholeOne) {
  for (const char* bytes : {"", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc",
                            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    const auto got = get_fixed(bytes);
    ASSERT_FALSE(got) << bytes;
    EXPECT_EQ(got.error().code, ErrorCode::kNetwork) << bytes;
  }
}

TEST_F(HttpFetcherTest, RefusesWhatIsNotHttp) {
  for (const char* bytes : {"SSH-2.0-OpenSSH\r\n", "HTTP/0.9 nonsense", "{\"tcbInfo\":{}}"}) {
    EXPECT_FALSE(get_fixed(bytes)) << bytes;
  }
  EXPECT_FALSE(get_fixed("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nabc"));
}

TEST_F(HttpFetcherTest, SpeaksHttpOnlyAndSendsNothingThatCouldBreakTheRequest) {
  EXPECT_EQ(get("file:///etc/passwd").error().code, ErrorCode::kBadUrl);
  EXPECT_EQ(get("ftp://127.0.0.1/x").error().code, ErrorCode::kBadUrl);
  EXPECT_EQ(get(base() + "/a\r\nx: y").error().code, ErrorCode::kUsage);
  FetchRequest request;
  request.url = base() + "/";
  request.bearer_token = "a\r\nx: y";
  EXPECT_EQ(make_http_fetcher({})->fetch(request).error().code, ErrorCode::kUsage);
  EXPECT_EQ(asked(), 0);
}

TEST_F(HttpFetcherTest, GoesThroughTheProxyOfTheEnvironment) {
  {
    FixedServer proxy("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    ::setenv("http_proxy", proxy.base().c_str(), 1);
    const auto got = get("http://collateral.invalid/x");
    ASSERT_TRUE(got) << got.error().to_string();
    EXPECT_TRUE(proxy.request().starts_with("GET http://collateral.invalid/x HTTP/1.1\r\n")) << proxy.request();
  }
  {
    // TLS uses a tunnel, so that the proxy sees names only.
    FixedServer proxy("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    ::setenv("https_proxy", proxy.base().c_str(), 1);
    EXPECT_EQ(get("https://collateral.invalid/x").error().code, ErrorCode::kNetwork);
    EXPECT_TRUE(proxy.request().starts_with("CONNECT collateral.invalid:443 HTTP/1.1\r\n")) << proxy.request();
  }
  on("/direct", 200, "direct");
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  EXPECT_FALSE(get("http://collateral.invalid/direct"));
  // A request for this machine is not sent to another one.
  EXPECT_TRUE(get(base() + "/direct"));
  testing::forget_proxies();
}

TEST_F(HttpFetcherTest, SendsNoTokenToAnotherMachineOverHttp) {
  testing::forget_proxies();
  for (const char* url : {"http://collateral.invalid/x", "http://localhost.invalid/x", "http://127.0.0.1.invalid/x",
                          "http://[::2]/x", "http://198.51.100.7/x", "ftp://127.0.0.1/x", "HTTP://127.0.0.1/x"}) {
    FetchRequest request;
    request.url = url;
    request.bearer_token = "key-1";
    request.timeout_ms = 1000;
    const auto got = make_http_fetcher({})->fetch(request);
    ASSERT_FALSE(got) << url;
    EXPECT_EQ(got.error().code, ErrorCode::kUsage) << url;
  }
}

class HttpFetcherTlsTest : public http::testing::ServerTest {
 protected:
  void serve_as(const std::vector<std::string>& names, UnixSeconds not_after = system_clock().now() + 86400) {
    testing::forget_proxies();
    const testing::TestAuthority authority = testing::make_authority(names, not_after);
    ASSERT_TRUE(write_file_atomically(ca_file(), authority.ca_pem, 0600));
    http::ServerOptions options = http::testing::loopback_options();
    options.tls = authority.identity;
    serve(options);
  }
  std::string ca_file() const { return (folder_.path() / "ca.pem").string(); }
  Result<FetchResponse> ask(const std::string& host, const std::string& authorities) {
    return get("https://" + host + ":" + std::to_string(server_->port()) + "/x", 1000, 10'000, {authorities});
  }

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(HttpFetcherTlsTest, TakesAnAuthorityOfOnesOwn) {
  serve_as({"localhost", "127.0.0.1"});
  const auto got = ask("127.0.0.1", ca_file());
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->body, "GET /x ");
}

TEST_F(HttpFetcherTlsTest, RefusesACertificateOfUnknownAuthority) {
  serve_as({"localhost", "127.0.0.1"});
  const auto got = ask("127.0.0.1", "");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kBadCertificate);
}

TEST_F(HttpFetcherTlsTest, RefusesACertificateOfAnotherHost) {
  serve_as({"pccs.example"});
  const auto got = ask("127.0.0.1", ca_file());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kBadCertificate);
}

TEST_F(HttpFetcherTlsTest, RefusesAnExpiredCertificate) {
  serve_as({"127.0.0.1"}, system_clock().now() - 86400);
  const auto got = ask("127.0.0.1", ca_file());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kBadCertificate);
}

TEST_F(HttpFetcherTlsTest, SaysThatTheFileOfAuthoritiesIsBad) {
  serve_as({"127.0.0.1"});
  const auto got = ask("127.0.0.1", ca_file() + ".none");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kBadCertificate);
}

}  // namespace
}  // namespace cloister::collateral
