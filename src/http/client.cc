#include "http/client.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "http/client_channel.h"
#include "http/response_reader.h"

namespace cloister::http {
namespace {

constexpr int kMaxInterimResponses = 8;

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

// Overwritten at the end when it was used to read a secret.
struct Buffer {
  explicit Buffer(bool secret) : secret_(secret) {}
  ~Buffer() {
    if (secret_) ::explicit_bzero(bytes.data(), bytes.size());
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::array<char, 16384> bytes;

 private:
  const bool secret_;
};

Result<void> read_response(ClientChannel& channel, ResponseReader& reader, bool streaming,
                           std::array<char, 16384>& buffer) {
  while (!reader.complete() && !reader.stopped()) {
    if (streaming && reader.has_head()) channel.lift_deadline();
    TRY(got, channel.read(buffer));
    if (got == 0) return reader.feed_end();
    TRY_VOID(reader.feed({buffer.data(), got}));
  }
  return {};
}

Result<ClientResponse> exchange(const Url& url, const ClientOptions& options, std::string_view method,
                                std::string_view path, std::optional<std::string_view> body,
                                const std::function<bool(std::string_view)>* on_data) {
  TRY(head, request_head(url, options, method, path, body ? std::optional(body->size()) : std::nullopt));
  TRY(channel, ClientChannel::open(url, options));
  auto wrote = channel->write(head);
  if (wrote && body) wrote = channel->write(*body);
  // A server that refuses a request answers before it has read all of it, and then writing fails: the answer says more.
  if (!wrote && wrote.error().code != ErrorCode::kNetwork) return std::move(wrote).error();

  Buffer buffer(options.secret_response);
  std::string rest;
  for (int i = 0; i <= kMaxInterimResponses; ++i) {
    ClientResponse response;
    response.tls_spki_sha256 = channel->tls_spki_sha256();
    response.unencrypted = channel->is_unencrypted();
    ResponseReader reader(response, options.response_limit_bytes, on_data);
    if (options.secret_response) reader.keep_secret();
    auto read = reader.feed(rest);
    if (read) read = read_response(*channel, reader, on_data != nullptr, buffer.bytes);
    if (!read && options.secret_response) ::explicit_bzero(response.body.data(), response.body.size());
    if (!read) return wrote ? std::move(read).error() : std::move(wrote).error();
    if (response.status >= 200) return response;
    if (options.secret_response && !reader.rest().empty())
      return fail(ErrorCode::kBadHttp, "the server sent an interim response");
    rest = reader.rest();
  }
  return fail(ErrorCode::kBadHttp, "the server sent interim responses only");
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
