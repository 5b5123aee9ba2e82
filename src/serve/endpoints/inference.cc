// The inference routes. The engine decides which of them a node serves (Engine::routes).
#include <memory>
#include <utility>
#include <vector>

#include "api/client_name.h"
#include "serve/computing_call.h"
#include "serve/endpoints/endpoints.h"
#include "serve/passing_call.h"

namespace cloister::serve {
namespace {

// Where the work on a request grows with its bytes alone, a request of at most this size is handled on the loop.
constexpr std::size_t kParseOnLoopBytes = 64 << 10;

const std::vector<InferenceRoute>& routes() {
  using engine::Route;
  static const std::vector<InferenceRoute> all = {
      {Route::kChatCompletions, "chat_completions", false, "/v1/chat/completions"},
      {Route::kCompletions, "completions", false, "/v1/completions"},
      {Route::kEmbeddings, "embeddings", false, "/v1/embeddings"},
      {Route::kResponses, "responses", false, "/v1/responses"},
      {Route::kMessages, "messages", true, "/v1/messages"},
      {Route::kCountTokens, "messages_count_tokens", true, "/v1/messages/count_tokens"},
      {Route::kTokenize, "tokenize", false, "/v1/tokenize"},
      {Route::kTokenize, "tokenize", false, "/tokenize", false},
      {Route::kDetokenize, "detokenize", false, "/detokenize", false},
      {Route::kRerank, "rerank", false, "/v1/rerank", false},
      {Route::kRerank, "rerank", false, "/rerank", false},
      {Route::kScore, "score", false, "/v1/score", false},
      {Route::kScore, "score", false, "/score", false},
      {Route::kTranscriptions, "audio_transcriptions", false, "/v1/audio/transcriptions", false, true},
      {Route::kTranslations, "audio_translations", false, "/v1/audio/translations", false, true},
      {Route::kSpeech, "audio_speech", false, "/v1/audio/speech", false},
      {Route::kImageGenerations, "images_generations", false, "/v1/images/generations", false},
      {Route::kImageEdits, "images_edits", false, "/v1/images/edits", false, true},
  };
  return all;
}

std::shared_ptr<InferenceCall> make_call(NodeContext& context, const InferenceRoute& route, api::Call call) {
  if (context.engine.passes_on()) return std::make_shared<PassingCall>(context, route, std::move(call));
  return std::make_shared<ComputingCall>(context, route, std::move(call));
}

void handle(NodeContext& context, const InferenceRoute& route, api::Call call) {
  std::shared_ptr<http::Exchange> exchange = call.exchange;
  const std::size_t body_size = exchange->request().body.size();
  const std::string client = api::client_name(call);
  const std::shared_ptr<InferenceCall> inference = make_call(context, route, std::move(call));
  exchange->on_abandoned([weak = std::weak_ptr(inference)] {
    if (auto live = weak.lock()) live->abandon();
  });
  // Checked again, since the gate may have closed while the body arrived.
  if (context.gpu_gate != nullptr) {
    if (const auto refusal = context.gpu_gate->refusal()) return inference->refuse(*refusal);
  }
  const bool quick = context.engine.starts_quickly() || context.engine.passes_on();
  if (quick && body_size <= kParseOnLoopBytes) return inference->run();
  context.preparation.submit(
      client,
      {[inference] { inference->run(); },
       [inference] { inference->refuse(fail(ErrorCode::kBusy, "too many requests wait to be read; try again")); }});
}

}  // namespace

std::set<std::string> cheap_paths() {
  using engine::Route;
  std::set<std::string> out;
  for (const InferenceRoute& each : routes()) {
    const bool is_cheap =
        each.route == Route::kCountTokens || each.route == Route::kTokenize || each.route == Route::kDetokenize;
    if (is_cheap) out.insert(each.path);
  }
  return out;
}

void install_inference(api::EndpointRegistry& registry, NodeContext& context) {
  for (const InferenceRoute& route : routes()) {
    if (!route.of_every_engine && !context.engine.passes_on()) continue;
    api::Endpoint endpoint;
    endpoint.method = "POST";
    endpoint.path = route.path;
    endpoint.name = route.name;
    endpoint.anthropic_dialect = route.anthropic_dialect;
    endpoint.body_limit_bytes = context.body_limit_bytes;
    endpoint.takes_prompts = true;
    endpoint.receipted = true;
    endpoint.takes_files = route.takes_files;
    endpoint.handle = [&context, &route](api::Call call) { handle(context, route, std::move(call)); };
    registry.install(std::move(endpoint));
  }
}

}  // namespace cloister::serve
