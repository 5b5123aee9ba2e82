#include "engine/dialect/reply_writer.h"

namespace cloister::engine {

std::string_view finish_text(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop: return "stop";
    case FinishReason::kLength: return "length";
    case FinishReason::kToolCalls: return "tool_calls";
  }
  return "stop";
}

}  // namespace cloister::engine
