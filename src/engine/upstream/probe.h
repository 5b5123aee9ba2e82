// Finds out by asking what an upstream is and serves. Blocking, for the thread that watches the upstream.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "http/client.h"

namespace cloister::engine::upstream {

struct Findings {
  std::string kind;  // "vllm", "sglang", "llamacpp"; "" for an unknown server
  std::string version;
  std::string models_document;      // the body of GET /v1/models; empty where it names more models than are kept
  std::vector<ModelInfo> models;    // the first 1,000
  std::vector<std::string> routes;  // paths
};

// Checks that it answers requests: GET /health is 200 or, where there is no such path, GET /v1/models is.
Result<void> check_health(const http::Client& client);
// Reads the list of models alone. Errors: as the client's, kBadHttp for another status, kBadJson for what is no list.
Result<Findings> read_models(const http::Client& client);
// Finds the models, the kind of server, and which of `paths` it serves. A path counts as served unless a request with
// an empty body is answered by 404, 405 or 501. Ends early, with kCancelled, once `stop` says so.
Result<Findings> probe(const http::Client& client, const std::vector<std::string_view>& paths,
                       const std::function<bool()>& stop);

}  // namespace cloister::engine::upstream
