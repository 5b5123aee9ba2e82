// The six inference routes. Which of them a node serves is the engine's word (Engine::routes).
#include <vector>

#include "serve/endpoints/endpoints.h"
#include "serve/inference_call.h"
#include "serve/openai/error_body.h"

namespace cloister::serve {
namespace {

// Parsing more than this on an event loop would hold up other streams for longer than a token takes.
constexpr std::size_t kParseOnLoopBytes = 64 << 10;

struct Path {
  const char* path;
  InferenceRoute route;
};

const std::vector<Path>& paths() {
  using engine::Route;
  static const std::vector<Path> all = {
      {"/v1/chat/completions", {Route::kChatCompletions, "chat_completions", false}},
      {"/v1/completions", {Route::kCompletions, "completions", false}},
      {"/v1/embeddings", {Route::kEmbeddings, "embeddings", false}},
      {"/v1/responses", {Route::kResponses, "responses", false}},
      {"/v1/messages", {Route::kMessages, "messages", true}},
      {"/v1/tokenize", {Route::kTokenize, "tokenize", false}},
  };
  return all;
}

void handle(NodeContext& context, const InferenceRoute& route, Call call) {
  std::shared_ptr<http::Exchange> exchange = call.exchange;
  std::size_t body_size = exchange->request().body.size();
  auto inference = std::make_shared<InferenceCall>(context, route, std::move(call));
  exchange->on_abandoned([weak = std::weak_ptr(inference)] {
    if (auto live = weak.lock()) live->abandon();
  });
  // Again, for it may have closed while the body came in.
  if (context.gpu_gate != nullptr) {
    if (const auto refusal = context.gpu_gate->refusal()) return inference->refuse(*refusal);
  }
  if (body_size <= kParseOnLoopBytes) return inference->run();
  if (!context.requests.submit([inference] { inference->run(); })) {
    inference->refuse(fail(ErrorCode::kBusy, "too many requests are being read; try again"));
  }
}

}  // namespace

void install_inference(EndpointRegistry& registry, NodeContext& context) {
  for (const Path& entry : paths()) {
    Endpoint endpoint;
    endpoint.method = "POST";
    endpoint.path = entry.path;
    endpoint.name = entry.route.name;
    endpoint.anthropic_dialect = entry.route.anthropic_dialect;
    endpoint.body_limit_bytes = context.body_limit_bytes;
    endpoint.takes_prompts = true;
    endpoint.handle = [&context, &route = entry.route](Call call) { handle(context, route, std::move(call)); };
    registry.install(std::move(endpoint));
  }
}

}  // namespace cloister::serve
