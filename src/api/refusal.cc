#include "api/refusal.h"

#include "codec/json.h"

namespace cloister::api {

http::Response to_response(const Refusal& refusal, bool anthropic_dialect) {
  http::Response response;
  response.status = refusal.status;
  if (refusal.problem) {
    response.content_type = "application/problem+json";
    response.body = codec::write_json(
        {{"type", refusal.type}, {"title", "key configuration mismatch"}, {"detail", refusal.message}});
    return response;
  }
  if (anthropic_dialect) {
    response.body =
        codec::write_json({{"type", "error"}, {"error", {{"type", refusal.type}, {"message", refusal.message}}}});
    return response;
  }
  response.body = codec::write_json({{"error",
                                      {{"message", refusal.message},
                                       {"type", refusal.type},
                                       {"param", refusal.param.empty() ? Json(nullptr) : Json(refusal.param)},
                                       {"code", refusal.code}}}});
  return response;
}

}  // namespace cloister::api
