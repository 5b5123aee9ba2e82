#include "http/client.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "http/client_exchange.h"
#include "http/outgoing.h"
#include "net/address_kind.h"

namespace cloister::http {
namespace {

bool is_plain_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string host_header(const Url& url) {
  std::string out = url.host.find(':') != std::string::npos ? "[" + url.host + "]" : url.host;
  if (url.port != (url.tls ? 443 : 80)) out += ":" + std::to_string(url.port);
  return out;
}

Result<std::string> request_head(const Url& url, const ClientOptions& options, std::string_view method,
                                 std::string_view path, std::optional<std::size_t> body_size) {
  if (!path.starts_with('/') || !is_plain_text(path)) {
    return fail(ErrorCode::kBadUrl, "expected a path that starts with '/' and holds no spaces or control characters");
  }
  if (!is_plain_text(options.bearer_token)) {
    return fail(ErrorCode::kUsage, "the bearer token holds a space, a line end or another character it must not hold");
  }
  for (const auto& [name, value] : options.headers) {
    if (!is_plain_text(name) || !is_plain_text(value))
      return fail(ErrorCode::kUsage, "a header holds a space, a line end or another character it must not hold");
  }
  std::string head(method);
  head.append(" ").append(url.base_path).append(path).append(" HTTP/1.1\r\nhost: ").append(host_header(url));
  head += "\r\nuser-agent: cloister/" CLOISTER_VERSION "\r\naccept: */*\r\nconnection: close\r\n";
  if (!options.bearer_token.empty()) head.append("authorization: Bearer ").append(options.bearer_token).append("\r\n");
  for (const auto& [name, value] : options.headers) head.append(name).append(": ").append(value).append("\r\n");
  if (body_size) {
    head += "content-type: application/json\r\ncontent-length: " + std::to_string(*body_size) + "\r\n";
  }
  return head + "\r\n";
}

// Checks that bytes without encryption may be sent to all of these addresses.
Result<void> check_plain(const OutgoingTarget& target, const ClientOptions& options) {
  if (options.pinned_spki_sha256)
    return fail(ErrorCode::kUsage, "a TLS key is expected of " + target.name + ", and the URL is not https");
  for (const net::SocketAddress& address : target.addresses) {
    if (net::is_loopback_address(address.storage)) continue;
    const bool is_private = net::is_private_address(address.storage);
    if (options.plain_http == PlainHttp::kThisMachine ||
        (options.plain_http == PlainHttp::kPrivateNetwork && !is_private)) {
      return fail(ErrorCode::kUsage, target.name +
                                         " is another machine, and http is not encrypted: everyone on the way could "
                                         "read what is sent and what comes back; expected https");
    }
    if (options.plain_http == PlainHttp::kAnywhere && !options.bearer_token.empty()) {
      return fail(ErrorCode::kUsage,
                  target.name + " is another machine, and a bearer token is not sent to another machine over http");
    }
  }
  return {};
}

Result<OutgoingTarget> target_of(const Url& url, const ClientOptions& options) {
  if (url.tls) {
    net::ServerTrust trust;
    trust.roots = options.verify_web_pki ? net::ServerTrust::Roots::kSystem : net::ServerTrust::Roots::kNone;
    trust.pinned_spki_sha256 = options.pinned_spki_sha256;
    return resolve_tls(url, std::move(trust));
  }
  TRY(target, resolve_target(url));
  TRY_VOID(check_plain(target, options));
  return target;
}

Result<ClientResponse> exchange(const Url& url, const ClientOptions& options, std::string_view method,
                                std::string_view path, std::optional<std::string_view> body,
                                const std::function<bool(std::string_view)>* on_data) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.total_timeout_s);
  TRY(head, request_head(url, options, method, path, body ? std::optional(body->size()) : std::nullopt));
  TRY(target, target_of(url, options));
  // On the heap, since its loop has large buffers.
  const auto running = std::make_unique<ClientExchange>(target, options, on_data);
  return running->run(std::move(head), body.value_or(std::string_view()), deadline);
}

}  // namespace

Result<ClientResponse> Client::get(std::string_view path_and_query) const {
  return exchange(url_, options_, "GET", path_and_query, std::nullopt, nullptr);
}

Result<ClientResponse> Client::post_json(std::string_view path, std::string_view body) const {
  return exchange(url_, options_, "POST", path, body, nullptr);
}

Result<ClientResponse> Client::post_json_streaming(std::string_view path, std::string_view body,
                                                   const std::function<bool(std::string_view)>& on_data) const {
  return exchange(url_, options_, "POST", path, body, &on_data);
}

}  // namespace cloister::http
