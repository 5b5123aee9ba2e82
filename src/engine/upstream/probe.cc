#include "engine/upstream/probe.h"

#include <algorithm>

#include "codec/json.h"

namespace cloister::engine::upstream {
namespace {

constexpr std::size_t kLongestVersion = 64;
constexpr std::size_t kMostModels = 1000;

// For a log line and a page: only printable characters of another server's text are safe.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kLongestVersion)) out += c > ' ' && c <= '~' && c != '"' && c != '\\' ? c : '_';
  return out;
}

// A member of the object that GET `path` returns; "" when there is none.
std::string told(const http::Client& client, std::string_view path, const char* member) {
  const auto response = client.get(path);
  if (!response || response->status != 200) return "";
  const auto json = codec::parse_json(response->body);
  if (!json || !json->is_object()) return "";
  const auto found = json->find(member);
  return found != json->end() && found->is_string() ? printable(found->get<std::string>()) : "";
}

ModelInfo model_info(const Json& item) {
  ModelInfo info;
  info.id = item["id"].get<std::string>();
  if (const auto created = item.find("created"); created != item.end() && created->is_number_unsigned()) {
    info.created = static_cast<std::int64_t>(created->get<std::uint64_t>());
  }
  if (const auto length = item.find("max_model_len"); length != item.end() && length->is_number_unsigned()) {
    info.context_length = length->get<std::uint64_t>();
  }
  return info;
}

// Each of the three names itself as the owner of its models.
std::string version_of(const http::Client& client, const std::string& kind) {
  if (kind == "vllm") return told(client, "/version", "version");
  if (kind == "sglang") return told(client, "/get_server_info", "version");
  if (kind == "llamacpp") return told(client, "/props", "build_info");
  return "";
}

}  // namespace

Result<void> check_health(const http::Client& client) {
  TRY(health, client.get("/health"));
  if (health.status == 200) return {};
  if (health.status != 404 && health.status != 405) {
    return fail(ErrorCode::kBadHttp, "GET /health answers " + std::to_string(health.status));
  }
  TRY(models, client.get("/v1/models"));
  if (models.status != 200) return fail(ErrorCode::kBadHttp, "GET /v1/models answers " + std::to_string(models.status));
  return {};
}

Result<Findings> read_models(const http::Client& client) {
  TRY(response, client.get("/v1/models"));
  if (response.status != 200)
    return fail(ErrorCode::kBadHttp, "GET /v1/models answers " + std::to_string(response.status));
  TRY(json, codec::parse_json(response.body));
  if (!json.is_object()) return fail(ErrorCode::kBadJson, "GET /v1/models answers no JSON object");
  TRY(data, codec::array_member(json, "data"));
  Findings findings;
  findings.models_document = std::move(response.body);
  for (const Json& item : *data) {
    if (!item.is_object() || !codec::string_member(item, "id")) continue;
    if (findings.models.size() == kMostModels) {
      findings.models_document.clear();  // it names models that nobody can ask this node for
      break;
    }
    findings.models.push_back(model_info(item));
    const auto owner = codec::string_member(item, "owned_by");
    if (owner && (*owner == "vllm" || *owner == "sglang" || *owner == "llamacpp")) findings.kind = *owner;
  }
  return findings;
}

Result<Findings> probe(const http::Client& client, const std::vector<std::string_view>& paths,
                       const std::function<bool()>& stop) {
  TRY(findings, read_models(client));
  findings.version = version_of(client, findings.kind);
  for (const std::string_view path : paths) {
    if (stop()) return fail(ErrorCode::kCancelled, "the engine stops");
    // No server computes anything for an empty body, and it is no valid request of any route.
    TRY(response, client.post_json(path, ""));
    const bool there = response.status != 404 && response.status != 405 && response.status != 501;
    if (there) findings.routes.emplace_back(path);
  }
  return findings;
}

}  // namespace cloister::engine::upstream
