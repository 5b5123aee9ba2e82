#include <charconv>

#include "http/url.h"

namespace cloister::http {
namespace {

Error bad_url(std::string_view what, std::string_view text) {
  return fail(ErrorCode::kBadUrl, std::string(what) + " in \"" + std::string(text) + "\"");
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_ipv6_character(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

Result<std::uint16_t> parse_port(std::string_view digits, std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value == 0 || value > 65535) {
    return bad_url("expected a port from 1 to 65535", text);
  }
  return static_cast<std::uint16_t>(value);
}

// host, host:port, [v6] or [v6]:port
Result<void> parse_authority(std::string_view authority, std::string_view text, Url& url) {
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return bad_url("missing ']'", text);
    url.host = authority.substr(1, close - 1);
    const std::string_view rest = authority.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return bad_url("unexpected text after ']'", text);
    has_port = !rest.empty();
    port = has_port ? rest.substr(1) : rest;
    for (const char c : url.host) {
      if (!is_ipv6_character(c)) return bad_url("not an IPv6 address", text);
    }
  } else {
    const std::size_t colon = authority.find(':');
    has_port = colon != std::string_view::npos;
    url.host = authority.substr(0, colon);
    if (has_port) port = authority.substr(colon + 1);
    for (const char c : url.host) {
      if (!is_host_character(c)) return bad_url("unexpected character in the host", text);
    }
  }
  if (url.host.empty()) return bad_url("missing host", text);
  if (has_port) {
    TRY(number, parse_port(port, text));
    url.port = number;
  }
  return {};
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  Url url;
  std::string_view rest;
  if (text.starts_with(kHttp)) {
    rest = text.substr(kHttp.size());
  } else if (text.starts_with(kHttps)) {
    rest = text.substr(kHttps.size());
    url.tls = true;
    url.port = 443;
  } else {
    return bad_url("expected http:// or https://", text);
  }
  const std::size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    // Not quoted, since it may hold a password.
    return fail(ErrorCode::kBadUrl, "user information in a URL is not supported");
  }
  TRY_VOID(parse_authority(authority, text, url));
  if (slash == std::string_view::npos) return url;
  std::string_view path = rest.substr(slash);
  for (const char c : path) {
    if (c <= ' ' || c > '~') return bad_url("unexpected character in the path", text);
    if (c == '?' || c == '#') return bad_url("unexpected query or fragment", text);
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  url.base_path = path;
  return url;
}

Result<Url> parse_unix_url(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  constexpr std::size_t kLongest = 107;  // unix(7): what sun_path holds
  if (!text.starts_with(kUnix)) return bad_url("expected unix:/PATH", text);
  const std::string_view path = text.substr(kUnix.size());
  if (!path.starts_with('/') || path.starts_with("//") || path.ends_with('/')) {
    return bad_url("expected the absolute path of a Unix socket after unix:", text);
  }
  if (path.size() > kLongest) return bad_url("the path of a Unix socket has at most 107 bytes", text);
  for (const char c : path) {
    if (c <= ' ' || c > '~') return bad_url("unexpected character in the path", text);
  }
  Url url;
  url.host = "localhost";
  url.unix_socket = path;
  return url;
}

}  // namespace cloister::http
