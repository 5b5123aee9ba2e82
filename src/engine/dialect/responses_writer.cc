// OpenAI's /v1/responses: platform.openai.com/docs/api-reference/responses and .../responses-streaming.
// Output items come one after the other: reasoning, message, then each function call.
#include "engine/dialect/writers.h"

namespace cloister::engine {
namespace {

Json text_part(std::string_view text) {
  return {{"type", "output_text"}, {"text", text}, {"annotations", Json::array()}, {"logprobs", Json::array()}};
}

Json responses_usage(const Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

std::string_view response_status(FinishReason reason) {
  return reason == FinishReason::kLength ? "incomplete" : "completed";
}

class ResponsesStreamWriter : public ReplyWriter {
 public:
  explicit ResponsesStreamWriter(ReplyHead head) : head_(std::move(head)) {}

  std::string_view content_type() const override { return "text/event-stream"; }
  void begin(std::string& out, const Usage&) override {
    Json response = response_object(head_, "in_progress", Json::array(), nullptr);
    event(out, "response.created", {{"response", response}});
    event(out, "response.in_progress", {{"response", std::move(response)}});
  }
  void text(std::string& out, int, std::string_view piece, const std::vector<TokenLogprob>&) override {
    if (open(out, "msg_")) {
      event(out, "response.output_item.added",
            with_index({{"item", response_message_item(item_id_, "", "in_progress")}}));
      event(out, "response.content_part.added", with_part({{"part", text_part("")}}));
    }
    text_ += piece;
    event(out, "response.output_text.delta", with_part({{"delta", piece}, {"logprobs", Json::array()}}));
  }
  void reasoning(std::string& out, int, std::string_view piece) override {
    if (open(out, "rs_")) {
      event(out, "response.output_item.added",
            with_index({{"item", response_reasoning_item(item_id_, "", "in_progress")}}));
    }
    text_ += piece;
    event(out, "response.reasoning_text.delta", with_part({{"delta", piece}}));
  }
  void tool_call(std::string& out, int, int call, std::string_view id, std::string_view name,
                 std::string_view arguments) override {
    if (open(out, "fc_" + std::to_string(call) + "_")) {
      call_ = {std::string(id), std::string(name), ""};
      event(out, "response.output_item.added",
            with_index({{"item", response_call_item(item_id_, call_, "in_progress")}}));
    }
    call_.arguments += arguments;
    if (!arguments.empty()) {
      event(out, "response.function_call_arguments.delta", with_index({{"item_id", item_id_}, {"delta", arguments}}));
    }
  }
  void finish(std::string& out, int, FinishReason reason, std::string_view) override {
    finish_ = reason;
    close(out, response_status(reason));
  }
  void end(std::string& out, const Usage& usage) override {
    std::string_view status = response_status(finish_);
    event(out, finish_ == FinishReason::kLength ? "response.incomplete" : "response.completed",
          {{"response", response_object(head_, status, output_, &usage)}});
  }
  void fail(std::string& out, const Error& error) override {
    event(out, "error",
          {{"code", error_id(error.code)},
           {"message", error.message},
           {"param", error.param.empty() ? Json() : Json(error.param)}});
  }

 private:
  // Opens the item of this kind and closes the one before; returns false when it is already open.
  bool open(std::string& out, const std::string& kind) {
    if (kind == kind_) return false;
    close(out, "completed");
    kind_ = kind;
    text_.clear();
    item_id_ = response_item_id(head_, kind, output_.size());
    return true;
  }
  void close(std::string& out, std::string_view status) {
    if (kind_.empty()) return;
    Json item;
    if (kind_ == "msg_") {
      event(out, "response.output_text.done", with_part({{"text", text_}, {"logprobs", Json::array()}}));
      event(out, "response.content_part.done", with_part({{"part", text_part(text_)}}));
      item = response_message_item(item_id_, text_, status);
    } else if (kind_ == "rs_") {
      event(out, "response.reasoning_text.done", with_part({{"text", text_}}));
      item = response_reasoning_item(item_id_, text_, status);
    } else {
      event(out, "response.function_call_arguments.done",
            with_index({{"item_id", item_id_}, {"name", call_.name}, {"arguments", call_.arguments}}));
      item = response_call_item(item_id_, call_, status);
    }
    event(out, "response.output_item.done", with_index({{"item", item}}));
    output_.push_back(std::move(item));
    kind_.clear();
  }

  Json with_index(Json members) const {
    members["output_index"] = output_.size();
    return members;
  }
  Json with_part(Json members) const {
    members["item_id"] = item_id_;
    members["content_index"] = 0;
    return with_index(std::move(members));
  }
  void event(std::string& out, std::string_view type, Json members) {
    Json data = {{"type", type}, {"sequence_number", sequence_++}};
    data.update(members);
    append_named_event(out, type, data);
  }

  ReplyHead head_;
  int sequence_ = 0;
  std::string kind_;  // kind of the open item; empty when none is open
  std::string item_id_;
  std::string text_;  // text of the open item
  ToolCall call_;
  Json output_ = Json::array();
  FinishReason finish_ = FinishReason::kStop;
};

}  // namespace

std::string response_item_id(const ReplyHead& head, std::string_view prefix, std::size_t output_index) {
  std::string_view suffix = head.id;
  suffix.remove_prefix(std::min(suffix.size(), id_prefix(Route::kResponses).size()));
  return std::string(prefix.substr(0, prefix.find('_') + 1)).append(suffix) + "_" + std::to_string(output_index);
}

Json response_message_item(std::string_view id, std::string_view text, std::string_view status) {
  Json content = Json::array();
  if (status != "in_progress") content.push_back(text_part(text));
  return {{"id", id}, {"type", "message"}, {"role", "assistant"}, {"status", status}, {"content", std::move(content)}};
}

Json response_reasoning_item(std::string_view id, std::string_view text, std::string_view status) {
  Json content = Json::array();
  if (status != "in_progress") content.push_back({{"type", "reasoning_text"}, {"text", text}});
  return {{"id", id},
          {"type", "reasoning"},
          {"summary", Json::array()},
          {"content", std::move(content)},
          {"status", status}};
}

Json response_call_item(std::string_view id, const ToolCall& call, std::string_view status) {
  return {{"id", id},          {"type", "function_call"},     {"call_id", call.id},
          {"name", call.name}, {"arguments", call.arguments}, {"status", status}};
}

Json response_object(const ReplyHead& head, std::string_view status, Json output, const Usage* usage) {
  Json response = {{"id", head.id}, {"object", "response"}, {"created_at", head.created}, {"status", status}};
  response["error"] = nullptr;
  response["incomplete_details"] = status == "incomplete" ? Json{{"reason", "max_output_tokens"}} : Json();
  response["instructions"] = nullptr;
  response["metadata"] = Json::object();
  response["model"] = head.model;
  response["output"] = std::move(output);
  response["parallel_tool_calls"] = head.echoed.value("parallel_tool_calls", true);
  response["previous_response_id"] = nullptr;
  response["store"] = false;
  for (const char* name : {"temperature", "top_p"}) {
    response[name] = head.echoed.contains(name) ? head.echoed[name] : Json();
  }
  response["tool_choice"] = head.echoed.contains("tool_choice") ? head.echoed["tool_choice"] : Json("auto");
  response["tools"] = head.echoed.contains("tools") ? head.echoed["tools"] : Json::array();
  response["truncation"] = "disabled";
  response["usage"] = usage == nullptr ? Json() : responses_usage(*usage);
  return response;
}

Json responses_body(const ReplyHead& head, const GatheredChoice& choice, const Usage& usage) {
  std::string_view status = response_status(choice.finish);
  Json output = Json::array();
  if (!choice.reasoning.empty()) {
    output.push_back(response_reasoning_item(response_item_id(head, "rs_", 0), choice.reasoning, status));
  }
  if (!choice.text.empty() || choice.calls.empty()) {
    output.push_back(response_message_item(response_item_id(head, "msg_", output.size()), choice.text, status));
  }
  for (const ToolCall& call : choice.calls) {
    output.push_back(response_call_item(response_item_id(head, "fc_", output.size()), call, status));
  }
  return response_object(head, status, std::move(output), &usage);
}

std::unique_ptr<ReplyWriter> make_responses_stream_writer(ReplyHead head) {
  return std::make_unique<ResponsesStreamWriter>(std::move(head));
}

}  // namespace cloister::engine
