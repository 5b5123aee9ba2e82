// The writers behind make_reply_writer(), and what they have in common. Private to this folder.
#pragma once

#include "engine/dialect/reply_writer.h"

namespace cloister::engine {

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text
};

// One choice, collected.
struct GatheredChoice {
  std::string text;
  std::string reasoning;
  std::vector<ToolCall> calls;
  std::vector<TokenLogprob> logprobs;
  FinishReason finish = FinishReason::kStop;
  std::string stop;

  void add_call(int call, std::string_view id, std::string_view name, std::string_view piece);
};

std::unique_ptr<ReplyWriter> make_chat_stream_writer(ReplyHead head);
std::unique_ptr<ReplyWriter> make_completion_stream_writer(ReplyHead head);
std::unique_ptr<ReplyWriter> make_responses_stream_writer(ReplyHead head);
std::unique_ptr<ReplyWriter> make_messages_stream_writer(ReplyHead head);
std::unique_ptr<ReplyWriter> make_buffered_writer(ReplyHead head);

// The buffered bodies.
Json chat_body(const ReplyHead& head, const std::vector<GatheredChoice>& choices, const Usage& usage);
Json completion_body(const ReplyHead& head, const std::vector<GatheredChoice>& choices, const Usage& usage);
Json messages_body(const ReplyHead& head, const GatheredChoice& choice, const Usage& usage);

// Parts that the buffered and the streamed form both use.
Json openai_usage(const Usage& usage);
Json chat_logprobs(const std::vector<TokenLogprob>& tokens);
Json completion_logprobs(const std::vector<TokenLogprob>& tokens, std::size_t text_offset);
std::string_view messages_stop_reason(const GatheredChoice& choice);

// OpenAI Responses: one output item of each kind, and the response object around them.
std::string response_item_id(const ReplyHead& head, std::string_view prefix, std::size_t output_index);
Json response_message_item(std::string_view id, std::string_view text, std::string_view status);
Json response_reasoning_item(std::string_view id, std::string_view text, std::string_view status);
Json response_call_item(std::string_view id, const ToolCall& call, std::string_view status);
Json response_object(const ReplyHead& head, std::string_view status, Json output, const Usage* usage);
Json responses_body(const ReplyHead& head, const GatheredChoice& choice, const Usage& usage);

// JSON text of an engine's output: bytes that are not UTF-8 become U+FFFD.
std::string dump(const Json& value);
// "event: NAME\ndata: JSON\n\n"
void append_named_event(std::string& out, std::string_view name, const Json& data);

}  // namespace cloister::engine
