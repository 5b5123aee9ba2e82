#include "codec/error_body.h"

#include "codec/json.h"

namespace cloister::codec {
namespace {

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

std::string openai_error_body(const Error& error) {
  Json detail = Json::object();
  detail["message"] = error.message;
  detail["type"] = error_openai_type(error.code);
  detail["param"] = error.param.empty() ? Json(nullptr) : Json(error.param);
  detail["code"] = error_id(error.code);
  return codec::write_json({{"error", detail}});
}

std::string anthropic_error_body(const Error& error) {
  return codec::write_json(
      {{"type", "error"},
       {"error", {{"type", anthropic_type(error_http_status(error.code))}, {"message", error.message}}}});
}

}  // namespace cloister::codec
