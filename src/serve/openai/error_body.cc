#include "serve/openai/error_body.h"

#include <algorithm>

#include "engine/dialect/error_body.h"

namespace cloister::serve {

std::string error_body(const Error& error, bool anthropic_dialect) {
  return anthropic_dialect ? engine::anthropic_error_body(error) : engine::openai_error_body(error);
}

http::Response error_response(const Error& error, bool anthropic_dialect) {
  http::Response response;
  response.status = error_http_status(error.code);
  response.body = error_body(error, anthropic_dialect);
  if (response.status == 503)
    response.headers.emplace_back("retry-after", std::to_string(std::max(1, error.retry_after_s)));
  if (response.status == 401) response.headers.emplace_back("www-authenticate", "Bearer");
  return response;
}

}  // namespace cloister::serve
