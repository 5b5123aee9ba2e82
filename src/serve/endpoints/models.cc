// GET /v1/models and /v1/models/{path}: ids of the form "org/name" hold a slash.
#include "api/error_response.h"
#include "codec/json.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "serve/endpoints/endpoints.h"

namespace cloister::serve {
namespace {

// What the catalogues of other gateways have for a model, so that their clients' verifiers know how to verify this node: the id of its
// application on dstack, and in `providers` the family of attestation reports that it serves, by the name that these gateways use for it.
void add_catalogue(const NodeContext& context, Json& model) {
  if (context.attestation == nullptr || !model.is_object()) return;
  // An upstream's own value here would make people verify another machine.
  model["providers"] = Json::array({"phala"});
  Json& metadata = model["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  metadata.erase("appid");
  if (!context.app_id.empty()) metadata["appid"] = context.app_id;
}

Json model_json(const NodeContext& context, const engine::ModelInfo& model) {
  Json out = {{"id", model.id}, {"object", "model"}, {"created", model.created}, {"owned_by", "cloister"}};
  if (model.context_length != 0) out["context_length"] = model.context_length;
  if (model.parameters != 0) out["parameters"] = model.parameters;
  if (!model.quantization.empty()) out["quantization"] = model.quantization;
  if (model.identity != nullptr) {
    if (const auto digest = evidence::document_digest(*model.identity))
      out["model_digest"] = evidence::digest_text(*digest);
    out["identity"] = *model.identity;
  }
  add_catalogue(context, out);
  return out;
}

// The list of another server with the same members. A list that cannot be parsed is passed on unchanged.
std::string with_catalogue(const NodeContext& context, const std::string& document) {
  constexpr codec::JsonLimits kLimits = {256u << 10, 32, 1u << 14};
  if (context.attestation == nullptr) return document;
  Result<Json> list = codec::parse_json(document, kLimits);
  if (!list || !list->is_object() || !list->contains("data") || !(*list)["data"].is_array()) return document;
  for (Json& model : (*list)["data"]) add_catalogue(context, model);
  return codec::write_json(*list);
}

http::Response list(NodeContext& context) {
  if (const auto document = context.engine.models_document()) {
    http::Response response;
    response.body = with_catalogue(context, *document);
    return response;
  }
  Json data = Json::array();
  for (const engine::ModelInfo& model : context.engine.models()) data.push_back(model_json(context, model));
  http::Response response;
  response.body = codec::write_json({{"object", "list"}, {"data", std::move(data)}});
  return response;
}

http::Response one(NodeContext& context, const std::string& id) {
  for (const engine::ModelInfo& model : context.engine.models()) {
    if (model.id != id) continue;
    http::Response response;
    response.body = codec::write_json(model_json(context, model));
    return response;
  }
  return api::error_response(fail(ErrorCode::kModelNotFound, "this model is not served here", "model"));
}

}  // namespace

void install_models(api::EndpointRegistry& registry, NodeContext& context) {
  api::Endpoint all;
  all.method = "GET";
  all.path = "/v1/models";
  all.name = "models";
  all.access = api::Access::kPublic;
  all.handle = [&context](api::Call call) { reply(context, call, list(context)); };
  registry.install(all);

  api::Endpoint single = all;
  single.path = "/v1/models/{path}";
  single.handle = [&context](api::Call call) { reply(context, call, one(context, call.path_argument)); };
  registry.install(single);
}

}  // namespace cloister::serve
