#include "load/options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/file.h"

namespace cloister::bench {
namespace {

constexpr std::size_t kBodyLimitBytes = 16u << 20;
constexpr std::string_view kNumberMark = "@N@";

// Returns a chat request of exactly `size` bytes where that is possible. The prompt fills the rest of the request.
std::string built_in_body(const Options& options, bool stream) {
  const std::string front = "{\"model\":\"" + options.model +
                            "\",\"temperature\":0,\"stream\":" + (stream ? "true" : "false") +
                            ",\"messages\":[{\"role\":\"user\",\"content\":\"";
  const std::string back = "\"}]}";
  const std::size_t fixed = front.size() + back.size();
  std::string prompt = "Say something about load";
  while (fixed + prompt.size() < options.body_bytes) prompt += " and about measuring it";
  prompt.resize(std::max<std::size_t>(options.body_bytes, fixed + 4) - fixed);
  if (prompt.back() == ' ') prompt.back() = '.';
  return front + prompt + back;
}

Result<std::string> bearer_line(const std::string& file) {
  if (file.empty()) return std::string();
  TRY(token, read_file(file, 4096));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  return "Authorization: Bearer " + token + "\r\n";
}

}  // namespace

Result<Target> parse_target(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const auto bad = [&](const std::string& why) { return fail(ErrorCode::kBadUrl, why + ": " + std::string(url)); };
  if (!url.starts_with(kScheme)) return bad("expected http://ADDRESS:PORT/PATH");
  const std::string_view rest = url.substr(kScheme.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return bad("expected a port");
  std::uint16_t port = 0;
  const auto digits = authority.substr(colon + 1);
  const auto [end, number_error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (number_error != std::errc() || end != digits.data() + digits.size()) return bad("expected a port of 1 to 65535");
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(authority.substr(0, colon)), error);
  if (error) return bad("expected a numeric address");
  if (!address.is_loopback()) return bad("load is sent to loopback addresses only");
  Target target;
  target.endpoint = {address, port};
  target.authority = authority;
  target.path = slash == rest.size() ? "/v1/chat/completions" : std::string(rest.substr(slash));
  return target;
}

Result<RequestMaker> RequestMaker::make(const Options& options, const Target& target, bool stream) {
  RequestMaker maker;
  TRY(bearer, bearer_line(options.bearer_file));
  maker.common_head_ = "Host: " + target.authority + "\r\n" + bearer;
  maker.any_status_ = options.any_status;
  if (options.get) {
    maker.request_ = maker.get(target.path);
    maker.body_at_ = maker.request_.size();
    return maker;
  }
  std::string body = built_in_body(options, stream);
  if (!options.body_file.empty()) {
    TRY(text, read_file(options.body_file, kBodyLimitBytes));
    body = std::move(text);
  }
  for (std::size_t at = body.find(kNumberMark); at != std::string::npos; at = body.find(kNumberMark, at)) {
    body.replace(at, kNumberMark.size(), "00000000");
    maker.numbers_at_.push_back(at);
  }
  maker.request_ = "POST " + target.path + " HTTP/1.1\r\n" + maker.common_head_ +
                   "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  maker.body_at_ = maker.request_.size();
  maker.request_ += body;
  return maker;
}

const std::string& RequestMaker::next() {
  ++count_;
  for (const std::size_t at : numbers_at_) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08u", static_cast<unsigned>(count_ % 100000000));
    request_.replace(body_at_ + at, 8, digits, 8);
  }
  return request_;
}

std::string RequestMaker::get(std::string_view path) const {
  return "GET " + std::string(path) + " HTTP/1.1\r\n" + common_head_ + "\r\n";
}

}  // namespace cloister::bench
