#include "engine/dialect/reply_reader.h"

#include <algorithm>

#include "codec/json.h"
#include "codec/sse.h"
#include "engine/dialect/members.h"
#include "engine/dialect/request_fields.h"

namespace cloister::engine {
namespace {

constexpr std::size_t kMostChoices = 1024;

const Json& member(const Json& object, const char* name) {
  static const Json none;
  if (!object.is_object()) return none;
  const Json* found = find_member(object, name);
  return found == nullptr ? none : *found;
}

std::string text_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

ReadChoice& choice_at(ReadReply& reply, const Json& item, std::size_t otherwise) {
  const Json& index = member(item, "index");
  const std::size_t at = index.is_number_unsigned() ? static_cast<std::size_t>(index.get<std::uint64_t>()) : otherwise;
  if (at >= reply.choices.size()) reply.choices.resize(std::min(at, kMostChoices) + 1);
  return reply.choices[std::min(at, kMostChoices)];
}

void read_usage(ReadReply& reply, const Json& usage, const char* prompt, const char* completion) {
  if (const Json& count = member(usage, prompt); count.is_number_unsigned())
    reply.prompt_tokens = count.get<std::uint64_t>();
  if (const Json& count = member(usage, completion); count.is_number_unsigned()) {
    reply.completion_tokens = count.get<std::uint64_t>();
  }
}

// Anthropic's counts leave out what was still in a cache, and that amount changes from one time to the next.
void read_message_usage(ReadReply& reply, const Json& usage) {
  read_usage(reply, usage, "input_tokens", "output_tokens");
  const Json& cached = member(usage, "cache_read_input_tokens");
  if (member(usage, "input_tokens").is_number_unsigned() && cached.is_number_unsigned()) {
    *reply.prompt_tokens += cached.get<std::uint64_t>();
  }
}

// In a stream a call's first piece has the name, and many pieces have its arguments.
void read_calls(ReadChoice& choice, const Json& calls) {
  if (!calls.is_array()) return;
  for (const Json& call : calls) {
    const Json& function = member(call, "function");
    if (const std::string name = text_of(function, "name"); !name.empty()) {
      choice.calls += (choice.calls.empty() ? "" : "\n") + name + " ";
    }
    choice.calls += text_of(function, "arguments");
  }
}

// Chat and completions, for an event or the whole reply: the members have the same names except for the one that holds the piece.
void read_openai(ReadReply& reply, const Json& object, const char* holder) {
  const Json& choices = member(object, "choices");
  for (std::size_t i = 0; choices.is_array() && i < choices.size(); ++i) {
    ReadChoice& choice = choice_at(reply, choices[i], i);
    const Json& piece = *holder == '\0' ? choices[i] : member(choices[i], holder);
    choice.text += text_of(piece, *holder == '\0' ? "text" : "content");
    choice.reasoning += text_of(piece, "reasoning_content");
    read_calls(choice, member(piece, "tool_calls"));
    if (const std::string finish = text_of(choices[i], "finish_reason"); !finish.empty()) choice.finish = finish;
  }
  read_usage(reply, member(object, "usage"), "prompt_tokens", "completion_tokens");
}

void read_response(ReadReply& reply, const Json& response) {
  reply.choices.assign(1, {});
  ReadChoice& choice = reply.choices.front();
  choice.finish = text_of(response, "status");
  const Json& output = member(response, "output");
  for (std::size_t i = 0; output.is_array() && i < output.size(); ++i) {
    const std::string type = text_of(output[i], "type");
    if (type == "function_call") {
      choice.calls +=
          (choice.calls.empty() ? "" : "\n") + text_of(output[i], "name") + " " + text_of(output[i], "arguments");
    }
    const Json& content = member(output[i], "content");
    for (std::size_t part = 0; content.is_array() && part < content.size(); ++part) {
      (type == "reasoning" ? choice.reasoning : choice.text) += text_of(content[part], "text");
    }
  }
  read_usage(reply, member(response, "usage"), "input_tokens", "output_tokens");
}

// Every event that ends a stream holds the whole reply.
void read_response_event(ReadReply& reply, const Json& event) {
  const std::string type = text_of(event, "type");
  if (type == "response.completed" || type == "response.incomplete")
    return read_response(reply, member(event, "response"));
  if (reply.choices.empty()) reply.choices.resize(1);
  if (type == "response.output_text.delta") reply.choices.front().text += text_of(event, "delta");
  if (type == "response.reasoning_text.delta") reply.choices.front().reasoning += text_of(event, "delta");
}

void read_block(ReadChoice& choice, const Json& block, bool whole) {
  choice.text += text_of(block, "text");
  choice.reasoning += text_of(block, "thinking");
  if (text_of(block, "type") != "tool_use") return;
  choice.calls += (choice.calls.empty() ? "" : "\n") + text_of(block, "name") + " ";
  if (whole) choice.calls += codec::write_json(member(block, "input"));
}

void read_message(ReadReply& reply, const Json& message) {
  reply.choices.assign(1, {});
  const Json& content = member(message, "content");
  for (std::size_t i = 0; content.is_array() && i < content.size(); ++i)
    read_block(reply.choices.front(), content[i], true);
  reply.choices.front().finish = text_of(message, "stop_reason");
  read_message_usage(reply, member(message, "usage"));
}

void read_message_event(ReadReply& reply, const Json& event) {
  if (reply.choices.empty()) reply.choices.resize(1);
  ReadChoice& choice = reply.choices.front();
  const std::string type = text_of(event, "type");
  const Json& delta = member(event, "delta");
  if (type == "message_start") read_message_usage(reply, member(member(event, "message"), "usage"));
  if (type == "content_block_start") read_block(choice, member(event, "content_block"), false);
  if (type == "content_block_delta") {
    choice.text += text_of(delta, "text");
    choice.reasoning += text_of(delta, "thinking");
    choice.calls += text_of(delta, "partial_json");
  }
  if (type == "message_delta") {
    if (const std::string finish = text_of(delta, "stop_reason"); !finish.empty()) choice.finish = finish;
    read_message_usage(reply, member(event, "usage"));
  }
}

void read_whole(ReadReply& reply, Route route, const Json& object) {
  switch (route) {
    case Route::kResponses: return read_response(reply, object);
    case Route::kMessages: return read_message(reply, object);
    case Route::kCompletions: return read_openai(reply, object, "");
    default: return read_openai(reply, object, "message");
  }
}

void read_event(ReadReply& reply, Route route, const Json& object) {
  switch (route) {
    case Route::kResponses: return read_response_event(reply, object);
    case Route::kMessages: return read_message_event(reply, object);
    case Route::kCompletions: return read_openai(reply, object, "");
    default: return read_openai(reply, object, "delta");
  }
}

Result<ReadReply> read_stream(Route route, std::string_view body) {
  ReadReply reply;
  std::optional<Error> wrong;
  codec::SseParser parser([&](std::string_view data) {
    if (wrong || data == "[DONE]") return;
    const Result<Json> event = codec::parse_json(data);
    if (!event || !event->is_object()) {
      wrong = fail(ErrorCode::kBadJson, "an event of the reply is no JSON object");
      return;
    }
    read_event(reply, route, *event);
  });
  TRY_VOID(parser.feed(body));
  if (wrong) return *wrong;
  return reply;
}

bool is_stream(std::string_view body) {
  return body.starts_with("data:") || body.starts_with("event:") || body.starts_with(":");
}

}  // namespace

Result<ReadReply> read_reply(Route route, std::string_view body) {
  if (route != Route::kChatCompletions && route != Route::kCompletions && route != Route::kResponses &&
      route != Route::kMessages) {
    return fail(ErrorCode::kUnsupported, "replies of this route hold no text that a model has generated");
  }
  ReadReply reply;
  if (is_stream(body)) {
    TRY(streamed, read_stream(route, body));
    reply = std::move(streamed);
  } else {
    TRY(object, codec::parse_json(body, {.max_bytes = 64u << 20}));
    if (!object.is_object()) return fail(ErrorCode::kBadJson, "the reply is no JSON object");
    read_whole(reply, route, object);
  }
  if (reply.choices.empty()) return fail(ErrorCode::kBadJson, "the reply holds no choice");
  return reply;
}

}  // namespace cloister::engine
