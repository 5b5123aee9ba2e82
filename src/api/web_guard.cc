#include "api/web_guard.h"

#include <arpa/inet.h>

#include <algorithm>

namespace cloister::api {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

// "localhost" of "localhost:8080", "::1" of "[::1]:8080".
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, std::min(host.find(']'), host.size()) - 1);
  return host.substr(0, host.find(':'));
}

bool is_loopback(const std::string& name) {
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  in_addr v4{};
  if (::inet_pton(AF_INET, name.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, name.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

// True for headers that browsers send with the requests of a page, and other programs do not.
bool is_of_a_browser(const http::RequestHead& head) {
  return std::any_of(head.headers.begin(), head.headers.end(), [](const auto& header) {
    return header.first == "origin" || header.first == "referer" || header.first == "accept-language" ||
           header.first.starts_with("sec-");
  });
}

}  // namespace

bool WebGuard::is_own_host(std::string_view host, const http::RequestHead& head) const {
  const std::string name = lower_case(without_port(host));
  if (is_loopback(name)) return true;
  for (const std::string& allowed : options_.hosts) {
    if (allowed == "*" || allowed == name) return true;
  }
  // A name without a dot belongs to this machine or its network: no site on the web has one. Somebody in the network
  // could still answer for such a name, so no page may use it.
  return !name.empty() && name.find_first_of(".:") == std::string::npos && !is_of_a_browser(head);
}

std::optional<Refusal> WebGuard::refusal(const http::RequestHead& head) const {
  if (has_two_origins(head))
    return Refusal{400, "invalid_request_error", "request.invalid", "expected one line 'Origin'", "origin"};
  if (options_.tokens) return std::nullopt;
  const auto host = head.header("host");
  if (options_.loopback && host && !is_own_host(*host, head)) {
    return Refusal{
        421, "invalid_request_error", "request.misdirected",
        "this node needs no token and answers to the names of its own machine only; allow others with --host-name",
        "host"};
  }
  const auto origin = head.header("origin");
  // A report with a nonce costs a quote, and the machine makes only some in a minute.
  const bool costs = head.method == "GET" && head.path.find("/attestation") != std::string::npos &&
                     head.query.find("nonce") != std::string::npos;
  const bool harmless = !costs && (head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS");
  const bool of_a_page = costs && !origin && head.header("sec-fetch-site").value_or("") == "cross-site";
  if (of_a_page)
    return Refusal{403, "permission_error", "request.forbidden",
                   "pages of other origins may not use up this node's reports", "sec-fetch-site"};
  if (!origin || harmless || cors_.allows(*origin)) return std::nullopt;
  const bool same_site =
      host && (*origin == "http://" + std::string(*host) || *origin == "https://" + std::string(*host));
  if (same_site) return std::nullopt;
  return Refusal{403, "permission_error", "request.forbidden",
                 "this node needs no token, so pages of other origins may not use it; allow some with --cors-origin",
                 "origin"};
}

}  // namespace cloister::api
