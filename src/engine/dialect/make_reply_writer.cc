#include "engine/dialect/make_reply_writer.h"

#include "engine/dialect/writers.h"

namespace cloister::engine {

std::unique_ptr<ReplyWriter> make_reply_writer(ReplyHead head) {
  if (!head.stream) return make_buffered_writer(std::move(head));
  switch (head.route) {
    case Route::kCompletions: return make_completion_stream_writer(std::move(head));
    case Route::kResponses: return make_responses_stream_writer(std::move(head));
    case Route::kMessages: return make_messages_stream_writer(std::move(head));
    default: return make_chat_stream_writer(std::move(head));
  }
}

}  // namespace cloister::engine
