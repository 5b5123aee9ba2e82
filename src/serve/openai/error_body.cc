#include "serve/openai/error_body.h"

#include <algorithm>

#include "codec/json.h"

namespace cloister::serve {
namespace {

// https://docs.anthropic.com/en/api/errors
std::string_view anthropic_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503: return "overloaded_error";
    default: return status < 500 ? "invalid_request_error" : "api_error";
  }
}

}  // namespace

std::string error_body(const Error& error, bool anthropic_dialect) {
  if (anthropic_dialect) {
    return codec::write_json(
        {{"type", "error"},
         {"error", {{"type", anthropic_type(error_http_status(error.code))}, {"message", error.message}}}});
  }
  Json detail = Json::object();
  detail["message"] = error.message;
  detail["type"] = error_openai_type(error.code);
  detail["param"] = error.param.empty() ? Json(nullptr) : Json(error.param);
  detail["code"] = error_id(error.code);
  return codec::write_json({{"error", detail}});
}

http::Response error_response(const Error& error, bool anthropic_dialect) {
  http::Response response;
  response.status = error_http_status(error.code);
  response.body = error_body(error, anthropic_dialect);
  if (response.status == 503) response.headers.emplace_back("retry-after", std::to_string(std::max(1, error.retry_after_s)));
  if (response.status == 401) response.headers.emplace_back("www-authenticate", "Bearer");
  return response;
}

std::string error_event(const Error& error, bool anthropic_dialect) {
  std::string event = anthropic_dialect ? "event: error\ndata: " : "data: ";
  return event + error_body(error, anthropic_dialect) + "\n\n";
}

}  // namespace cloister::serve
