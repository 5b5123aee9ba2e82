// GET /v1/models and /v1/models/{path}: ids of the form "org/name" hold a slash.
#include "codec/json.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "serve/endpoints/endpoints.h"
#include "serve/node.h"
#include "serve/openai/error_body.h"

namespace cloister::serve {
namespace {

constexpr std::string_view kName = "models";

Json model_json(const engine::ModelInfo& model) {
  Json out = {{"id", model.id}, {"object", "model"}, {"created", model.created}, {"owned_by", "cloister"}};
  if (model.context_length != 0) out["context_length"] = model.context_length;
  if (model.parameters != 0) out["parameters"] = model.parameters;
  if (!model.quantization.empty()) out["quantization"] = model.quantization;
  if (model.identity != nullptr) {
    if (const auto digest = evidence::document_digest(*model.identity)) out["model_digest"] = evidence::digest_text(*digest);
    out["identity"] = *model.identity;
  }
  return out;
}

http::Response list(NodeContext& context) {
  if (const auto document = context.engine.models_document()) {
    http::Response response;
    response.body = *document;
    return response;
  }
  Json data = Json::array();
  for (const engine::ModelInfo& model : context.engine.models()) data.push_back(model_json(model));
  http::Response response;
  response.body = codec::write_json({{"object", "list"}, {"data", std::move(data)}});
  return response;
}

http::Response one(NodeContext& context, const std::string& id) {
  for (const engine::ModelInfo& model : context.engine.models()) {
    if (model.id != id) continue;
    http::Response response;
    response.body = codec::write_json(model_json(model));
    return response;
  }
  return error_response(fail(ErrorCode::kModelNotFound, "this model is not served here", "model"));
}

}  // namespace

void install_models(EndpointRegistry& registry, NodeContext& context) {
  Endpoint all;
  all.method = "GET";
  all.path = "/v1/models";
  all.name = kName;
  all.access = Access::kPublic;
  all.handle = [&context](Call call) { reply(context, call, kName, list(context)); };
  registry.install(all);

  Endpoint single = all;
  single.path = "/v1/models/{path}";
  single.handle = [&context](Call call) { reply(context, call, kName, one(context, call.path_argument)); };
  registry.install(single);
}

}  // namespace cloister::serve
