// Requests and replies in the form for the rest of the program.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace cloister::http {

// Names in lower case.
using Headers = std::vector<std::pair<std::string, std::string>>;
std::optional<std::string_view> find_header(const Headers& headers, std::string_view lower_case_name);

struct RequestHead {
  std::string method;  // "GET"
  std::string path;    // percent-decoded, without the query
  std::string query;   // raw, without '?'
  Headers headers;
  std::string peer;  // "127.0.0.1:53812"
  bool peer_is_loopback = false;

  std::optional<std::string_view> header(std::string_view lower_case_name) const {
    return find_header(headers, lower_case_name);
  }
};

struct Request : RequestHead {
  std::string body;
  // SHA-256 of `body`, computed while the bytes arrived.
  ByteArray<32> body_sha256{};
};

struct Response {
  int status = 200;
  Headers headers;  // the server adds content-length, connection and date
  std::string content_type = "application/json";
  std::string body;
};

// The application/x-www-form-urlencoded pairs of a query; invalid escapes stay unchanged.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace cloister::http
