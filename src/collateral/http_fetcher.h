// The Fetcher for the real network, on libcurl. HTTP/1.1 with TLS 1.2 or newer, certificate and host name always
// checked, no redirects, no cookies, no compression, no other protocol. Proxies come from the environment: https_proxy
// or HTTPS_PROXY, http_proxy, all_proxy, no_proxy; never for http to this machine. A bearer token goes over https, or over
// http to this machine, and is refused otherwise with kUsage.
#pragma once

#include <memory>
#include <string>

#include "collateral/fetcher.h"

namespace cloister::collateral {

struct HttpFetcherOptions {
  // PEM certificates to accept as authorities beside the system's: for a PCCS of one's own, say.
  std::string ca_file;
  int connect_timeout_ms = 10'000;
  std::size_t header_limit_bytes = 64u << 10;
};

// Loads libcurl at the first fetch.
std::unique_ptr<Fetcher> make_http_fetcher(HttpFetcherOptions options);

}  // namespace cloister::collateral
