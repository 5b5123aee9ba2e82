// The address of a server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::http {

struct Url {
  bool tls = false;
  std::string host;
  std::uint16_t port = 80;
  std::string base_path;  // without a trailing '/'; may be empty
  // The path of a Unix socket to connect to instead; host and port are then used only in the host header.
  std::string unix_socket = {};
};
// Accepts "http://host:port/path" or https, without user info, query or fragment.
Result<Url> parse_url(std::string_view text);
// Accepts "unix:/path" of a Unix socket, absolute and without spaces. The host header is then localhost.
Result<Url> parse_unix_url(std::string_view text);

}  // namespace cloister::http
