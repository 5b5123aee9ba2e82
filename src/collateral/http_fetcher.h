// The Fetcher for the real network, with libcurl: HTTP/1.1 with TLS 1.2 or newer; certificate and host name are always
// checked; no redirects, no cookies, no compression, no other protocol. Proxies come from the environment: https_proxy
// or HTTPS_PROXY, http_proxy, all_proxy, no_proxy; never for http to this machine. A bearer token is sent over https,
// or over http to this machine, and is refused otherwise with kUsage.
#pragma once

#include <memory>
#include <string>

#include "collateral/fetcher.h"

namespace cloister::collateral {

struct HttpFetcherOptions {
  // PEM certificates accepted as authorities as well as the system's: for example for a PCCS of one's own.
  std::string ca_file;
  int connect_timeout_ms = 10'000;
  std::size_t header_limit_bytes = 64u << 10;
};

// Loads libcurl at the first fetch.
std::unique_ptr<Fetcher> make_http_fetcher(HttpFetcherOptions options);

}  // namespace cloister::collateral
