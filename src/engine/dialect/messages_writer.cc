// Anthropic's /v1/messages: docs.anthropic.com/en/api/messages and .../messages-streaming.
#include <optional>

#include "codec/error_body.h"
#include "codec/json.h"
#include "engine/dialect/writers.h"

namespace cloister::engine {
namespace {

Json messages_usage(const Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_tokens},
          {"output_tokens", usage.completion_tokens}};
}

Json message_object(const ReplyHead& head, Json content, const Usage& usage) {
  Json message = {{"id", head.id}, {"type", "message"}, {"role", "assistant"}, {"model", head.model}};
  message["content"] = std::move(content);
  message["stop_reason"] = nullptr;
  message["stop_sequence"] = nullptr;
  message["usage"] = messages_usage(usage);
  return message;
}

Json stop_sequence(const GatheredChoice& choice) { return choice.stop.empty() ? Json() : Json(choice.stop); }

// Content blocks open and close one after the other: thinking, text, then each tool call.
class MessagesStreamWriter : public ReplyWriter {
 public:
  explicit MessagesStreamWriter(ReplyHead head) : head_(std::move(head)) {}

  std::string_view content_type() const override { return "text/event-stream"; }
  void begin(std::string& out, const Usage& prompt) override {
    Usage start = prompt;
    start.completion_tokens = 0;
    append_named_event(out, "message_start",
                       {{"type", "message_start"}, {"message", message_object(head_, Json::array(), start)}});
  }
  void text(std::string& out, int, std::string_view piece, const std::vector<TokenLogprob>&) override {
    open(out, "text", {{"type", "text"}, {"text", ""}});
    delta(out, {{"type", "text_delta"}, {"text", piece}});
  }
  void reasoning(std::string& out, int, std::string_view piece) override {
    open(out, "thinking", {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
    delta(out, {{"type", "thinking_delta"}, {"thinking", piece}});
  }
  void tool_call(std::string& out, int, int call, std::string_view id, std::string_view name,
                 std::string_view arguments) override {
    called_ = true;
    open(out, "tool_use " + std::to_string(call),
         {{"type", "tool_use"}, {"id", id}, {"name", name}, {"input", Json::object()}});
    if (!arguments.empty()) delta(out, {{"type", "input_json_delta"}, {"partial_json", arguments}});
  }
  void finish(std::string&, int, FinishReason reason, std::string_view stop) override {
    end_.finish = reason;
    end_.stop = stop;
    if (called_) end_.calls.resize(1);
  }
  void end(std::string& out, const Usage& usage) override {
    close(out);
    Json how = {{"stop_reason", messages_stop_reason(end_)}, {"stop_sequence", stop_sequence(end_)}};
    append_named_event(out, "message_delta",
                       {{"type", "message_delta"}, {"delta", std::move(how)}, {"usage", messages_usage(usage)}});
    append_named_event(out, "message_stop", {{"type", "message_stop"}});
  }
  void fail(std::string& out, const Error& error) override {
    out.append("event: error\ndata: ").append(codec::anthropic_error_body(error)).append("\n\n");
  }

 private:
  void open(std::string& out, const std::string& kind, Json block) {
    if (kind == kind_) return;
    close(out);
    kind_ = kind;
    append_named_event(out, "content_block_start",
                       {{"type", "content_block_start"}, {"index", index_}, {"content_block", std::move(block)}});
  }
  void delta(std::string& out, Json piece) {
    append_named_event(out, "content_block_delta",
                       {{"type", "content_block_delta"}, {"index", index_}, {"delta", std::move(piece)}});
  }
  void close(std::string& out) {
    if (kind_.empty()) return;
    // Clients wait for the signature of a thinking block. Nobody signs it here, as in the buffered form.
    if (kind_ == "thinking") delta(out, {{"type", "signature_delta"}, {"signature", ""}});
    append_named_event(out, "content_block_stop", {{"type", "content_block_stop"}, {"index", index_}});
    kind_.clear();
    ++index_;
  }

  ReplyHead head_;
  std::string kind_;  // kind of the open block; empty when none is open
  int index_ = 0;
  bool called_ = false;
  GatheredChoice end_;
};

}  // namespace

std::string_view messages_stop_reason(const GatheredChoice& choice) {
  if (choice.finish == FinishReason::kLength) return "max_tokens";
  if (!choice.calls.empty()) return "tool_use";
  return choice.stop.empty() ? "end_turn" : "stop_sequence";
}

Json messages_body(const ReplyHead& head, const GatheredChoice& choice, const Usage& usage) {
  Json content = Json::array();
  if (!choice.reasoning.empty()) {
    content.push_back({{"type", "thinking"}, {"thinking", choice.reasoning}, {"signature", ""}});
  }
  if (!choice.text.empty()) content.push_back({{"type", "text"}, {"text", choice.text}});
  for (const ToolCall& call : choice.calls) {
    Result<Json> input = codec::parse_json(call.arguments);  // arguments that max_tokens cut may be no JSON
    content.push_back({{"type", "tool_use"},
                       {"id", call.id},
                       {"name", call.name},
                       {"input", input.has_value() ? *input : Json::object()}});
  }
  Json body = message_object(head, std::move(content), usage);
  body["stop_reason"] = messages_stop_reason(choice);
  body["stop_sequence"] = stop_sequence(choice);
  return body;
}

std::unique_ptr<ReplyWriter> make_messages_stream_writer(ReplyHead head) {
  return std::make_unique<MessagesStreamWriter>(std::move(head));
}

}  // namespace cloister::engine
