#include "api/cors.h"

#include <algorithm>
#include <charconv>

namespace cloister::api {
namespace {

// ":8080", or nothing.
bool is_port_or_nothing(std::string_view text) {
  if (text.empty()) return true;
  std::uint16_t port = 0;
  const char* const begin = text.data() + 1;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(begin, end, port);
  return text.front() == ':' && error == std::errc() && rest == end;
}

// An origin is a scheme, a host and perhaps a port, and nothing else (RFC 6454, section 6.2).
bool is_local_page(std::string_view origin) {
  for (std::string_view prefix : {"http://", "https://"}) {
    if (!origin.starts_with(prefix)) continue;
    std::string_view host = origin.substr(prefix.size());
    for (std::string_view local : {"localhost", "127.0.0.1", "[::1]"}) {
      if (host.starts_with(local) && is_port_or_nothing(host.substr(local.size()))) return true;
    }
  }
  return false;
}

}  // namespace

bool has_two_origins(const http::RequestHead& head) {
  return std::ranges::count(head.headers, "origin", [](const auto& header) { return std::string_view(header.first); }) >
         1;
}

bool Cors::allows(std::string_view origin) const {
  if (origins_.empty()) return is_local_page(origin);
  return std::ranges::any_of(origins_, [&](const std::string& allowed) { return allowed == "*" || allowed == origin; });
}

void Cors::decorate(const http::RequestHead& request, http::Headers& reply_headers) const {
  const auto origin = request.header("origin");
  if (!origin || has_two_origins(request) || !allows(*origin)) return;
  bool any = std::ranges::find(origins_, "*") != origins_.end();
  reply_headers.emplace_back("access-control-allow-origin", any ? "*" : std::string(*origin));
  reply_headers.emplace_back("access-control-expose-headers",
                             "x-request-id, request-id, retry-after, x-aci-version, x-aci-keyset-digest, "
                             "x-receipt-id, x-receipt, x-receipt-secret, x-receipt-stored");
  if (!any) reply_headers.emplace_back("vary", "origin");
}

http::Response Cors::preflight(const http::RequestHead& request) const {
  http::Response response;
  response.status = 204;
  response.content_type.clear();
  decorate(request, response.headers);
  if (http::find_header(response.headers, "access-control-allow-origin")) {
    response.headers.emplace_back("access-control-allow-methods", "GET, POST, OPTIONS");
    // Listed by name, because "*" does not cover Authorization; SDKs add x-stainless-* headers of their own.
    std::string wanted(request.header("access-control-request-headers").value_or("authorization, content-type"));
    bool tame = wanted.size() <= 2048 && wanted.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                  "0123456789-_, ") == std::string::npos;
    response.headers.emplace_back("access-control-allow-headers", tame ? wanted : "authorization, content-type");
    response.headers.emplace_back("access-control-max-age", "600");
  }
  return response;
}

}  // namespace cloister::api
