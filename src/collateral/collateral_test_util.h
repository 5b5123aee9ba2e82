// For the tests of this folder: a server that acts as the makers' services, one that sends fixed bytes, certificates
// for TLS, and a temporary folder.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/temporary_folder_testing.h"
#include "base/testing/vectors.h"
#include "collateral/downloader.h"
#include "collateral/http_fetcher.h"
#include "crypto/x509.h"
#include "http/http_test_util.h"
#include "http/server.h"
#include "net/tls_identity.h"

namespace cloister::collateral::testing {

// Removes proxies from the environment: the machine that runs the tests may have some, and the server is local.
inline void forget_proxies() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
}

using cloister::testing::TemporaryFolder;

inline std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// Answers by path and query ("/v1/rim/X", "/tcb?fmspc=..."). Several answers for one address come in turn, the last one
// repeatedly. Any other address is answered with 404.
class ReplayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    forget_proxies();
    handler_.on_request = [this](const std::shared_ptr<http::Exchange>& exchange) { answer(exchange); };
    auto server = http::Server::start(http::testing::loopback_options(), handler_);
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = *std::move(server);
  }
  void TearDown() override { server_.reset(); }

  std::string base() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  void on(const std::string& target, http::Response response) {
    const std::lock_guard lock(mutex_);
    answers_[target].push_back(std::move(response));
  }
  void on(const std::string& target, int status, std::string body, http::Headers headers = {}) {
    http::Response response;
    response.status = status;
    response.body = std::move(body);
    response.headers = std::move(headers);
    on(target, std::move(response));
  }
  void forget(const std::string& target) {
    const std::lock_guard lock(mutex_);
    answers_.erase(target);
  }
  // Makes the server never answer this address.
  void hang_on(const std::string& target) {
    const std::lock_guard lock(mutex_);
    hanging_.push_back(target);
  }
  // How often an address was asked; without a target, all addresses together.
  int asked(const std::string& target = {}) {
    const std::lock_guard lock(mutex_);
    int count = 0;
    for (const http::Request& request : requests_) count += target.empty() || target_of(request) == target;
    return count;
  }
  http::Request last_request() {
    const std::lock_guard lock(mutex_);
    return requests_.empty() ? http::Request() : requests_.back();
  }

 private:
  static std::string target_of(const http::Request& request) {
    return request.path + (request.query.empty() ? "" : "?" + request.query);
  }
  void answer(const std::shared_ptr<http::Exchange>& exchange) {
    http::Response response;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(exchange->request());
      const std::string target = target_of(exchange->request());
      if (std::find(hanging_.begin(), hanging_.end(), target) != hanging_.end()) return held_.push_back(exchange);
      const auto found = answers_.find(target);
      if (found == answers_.end()) {
        response.status = 404;
      } else {
        response = found->second.front();
        if (found->second.size() > 1) found->second.erase(found->second.begin());
      }
    }
    exchange->respond(std::move(response));
  }

  http::testing::ScriptHandler handler_;
  std::mutex mutex_;
  std::map<std::string, std::vector<http::Response>> answers_;
  std::vector<std::string> hanging_;
  std::vector<std::shared_ptr<http::Exchange>> held_;
  std::vector<http::Request> requests_;
  std::unique_ptr<http::Server> server_;
};

// A server for one connection that sends fixed bytes and closes; it keeps what it received.
class FixedServer {
 public:
  explicit FixedServer(std::string bytes) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, bytes = std::move(bytes)] {
      const int peer = ::accept(listener_, nullptr, nullptr);
      char request[4096];
      const ssize_t got = ::recv(peer, request, sizeof(request), 0);
      if (got > 0) request_.assign(request, static_cast<std::size_t>(got));
      ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ::shutdown(peer, SHUT_WR);
      ::close(peer);
    });
  }
  ~FixedServer() {
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }
  std::string base() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // Waits for the exchange and returns the request.
  std::string request() {
    if (thread_.joinable()) thread_.join();
    return request_;
  }

 private:
  int listener_;
  std::uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

// A TLS authority of the test and a server's identity under it.
struct TestAuthority {
  std::string ca_pem;
  std::shared_ptr<net::TlsIdentity> identity;
};
inline TestAuthority make_authority(const std::vector<std::string>& names, UnixSeconds not_after) {
  const crypto::EcKey ca_key = *crypto::EcKey::generate(crypto::Curve::kP256);
  const crypto::EcKey key = *crypto::EcKey::generate(crypto::Curve::kP256);
  crypto::CertificateSpec ca;
  ca.subject_common_name = ca.issuer_common_name = "cloister test CA";
  ca.not_before = system_clock().now() - 2 * 86400;
  ca.not_after = ca.not_before + 30 * 86400;
  ca.serial = {1};
  ca.is_ca = true;
  crypto::CertificateSpec leaf = ca;
  leaf.subject_common_name = "cloister test server";
  leaf.not_after = not_after;
  leaf.serial = {2};
  leaf.is_ca = false;
  leaf.dns_names = names;
  TestAuthority out;
  out.ca_pem = crypto::issue_certificate(ca, ca_key, ca_key)->to_pem();
  out.identity = std::make_shared<net::TlsIdentity>();
  out.identity->certificate_chain_pem = crypto::issue_certificate(leaf, key, ca_key)->to_pem();
  out.identity->private_key_pem = key.to_pem();
  return out;
}

// Short enough for tests; the deadline is far away.
inline DownloadOptions quick_download() {
  DownloadOptions options;
  options.backoff_ms = 1;
  options.request_timeout_ms = 10'000;
  options.deadline_ms = 30'000;
  return options;
}

}  // namespace cloister::collateral::testing
