#include "engine/engine.h"

namespace cloister::engine {

std::string_view id_prefix(Route route) {
  switch (route) {
    case Route::kChatCompletions: return "chatcmpl-";
    case Route::kCompletions: return "cmpl-";
    case Route::kEmbeddings: return "emb-";
    case Route::kResponses: return "resp_";
    case Route::kMessages: return "msg_";
    case Route::kTokenize:
    case Route::kCountTokens: return "tok-";
    default: return "req-";
  }
}

bool is_messages_form(Route route) { return route == Route::kMessages || route == Route::kCountTokens; }

bool generates_text(Route route) {
  return route == Route::kChatCompletions || route == Route::kCompletions || route == Route::kResponses ||
         route == Route::kMessages;
}

std::optional<ModelInfo> Engine::find_model(std::string_view id) const {
  for (ModelInfo& model : models()) {
    if (model.id == id) return std::move(model);
  }
  return std::nullopt;
}

}  // namespace cloister::engine
