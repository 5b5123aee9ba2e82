#include "api/error_response.h"

#include <algorithm>

#include "codec/error_body.h"

namespace cloister::api {

http::Response error_response(const Error& error, bool anthropic_dialect) {
  http::Response response;
  response.status = error_http_status(error.code);
  response.body = anthropic_dialect ? codec::anthropic_error_body(error) : codec::openai_error_body(error);
  if (response.status == 503)
    response.headers.emplace_back("retry-after", std::to_string(std::max(1, error.retry_after_s)));
  if (response.status == 401) response.headers.emplace_back("www-authenticate", "Bearer");
  return response;
}

}  // namespace cloister::api
