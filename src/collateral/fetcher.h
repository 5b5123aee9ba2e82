// The access to the services that publish collateral: one HTTP exchange. It is an interface, so that sources and their
// faults can be tested without a network, and so that only one implementation knows the HTTP library.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "http/message.h"

namespace cloister::collateral {

struct FetchRequest {
  std::string url;           // http or https; made from configured addresses, never from one that evidence names
  bool post = false;         // else GET
  std::string body;          // POST only
  std::string content_type;  // of the body
  std::string accept;        // empty: anything
  std::string bearer_token;  // empty: none
  std::size_t limit_bytes = 4u << 20;  // a larger reply is an error
  int timeout_ms = 15'000;             // for the whole exchange
};

struct FetchResponse {
  int status = 0;
  http::Headers headers;  // names in lower case
  std::string body;
};

class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // Any thread, several at once. kNetwork and kTimeout may succeed when tried again; kBadCertificate, kTooLarge,
  // kBadHttp (including redirects, which are never followed) and kBadUrl will not. Any status that is no redirect is a
  // response.
  virtual Result<FetchResponse> fetch(const FetchRequest& request) = 0;
};

}  // namespace cloister::collateral
