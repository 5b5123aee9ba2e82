#include "engine/engine.h"

namespace cloister::engine {

std::string_view id_prefix(Route route) {
  switch (route) {
    case Route::kChatCompletions: return "chatcmpl-";
    case Route::kCompletions: return "cmpl-";
    case Route::kEmbeddings: return "emb-";
    case Route::kResponses: return "resp_";
    case Route::kMessages: return "msg_";
    case Route::kTokenize: return "tok-";
    default: return "req-";
  }
}

}  // namespace cloister::engine
