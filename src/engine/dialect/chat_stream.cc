// Streams of /v1/chat/completions and /v1/completions. The bytes before and after a piece never change within a reply,
// so they are made once, and a token costs one append of each and one escaped string.
#include "codec/error_body.h"
#include "engine/dialect/json_text.h"
#include "engine/dialect/writers.h"

namespace cloister::engine {
namespace {

constexpr std::string_view kDone = "data: [DONE]\n\n";

// `data: {"id":...,"object":...,"created":...,"model":...,["system_fingerprint":...,]"choices":[`
std::string chunk_start(const ReplyHead& head, std::string_view object) {
  std::string start = "data: {\"id\":";
  append_json_string(start, head.id);
  start += ",\"object\":";
  append_json_string(start, object);
  start += ",\"created\":" + std::to_string(head.created) + ",\"model\":";
  append_json_string(start, head.model);
  if (!head.fingerprint.empty()) {
    start += ",\"system_fingerprint\":";
    append_json_string(start, head.fingerprint);
  }
  return start + ",\"choices\":[";
}

// What both streams have in common.
class ChunkWriter : public ReplyWriter {
 public:
  ChunkWriter(ReplyHead head, std::string_view object)
      : choices_(head.choices),
        include_usage_(head.include_usage),
        start_(chunk_start(head, object)),
        // OpenAI says "usage": null in each chunk but the last when usage was asked for.
        tail_(include_usage_ ? "],\"usage\":null}\n\n" : "]}\n\n") {}

  std::string_view content_type() const override { return "text/event-stream"; }
  void end(std::string& out, const Usage& usage) override {
    if (include_usage_) out.append(start_).append("],\"usage\":").append(dump(openai_usage(usage))).append("}\n\n");
    out += kDone;
  }
  void fail(std::string& out, const Error& error) override {
    out.append("data: ").append(codec::openai_error_body(error)).append("\n\n");
  }

 protected:
  int choices() const { return choices_; }
  void open(std::string& out, int index) const {
    out.append(start_).append("{\"index\":").append(std::to_string(index));
  }
  void close(std::string& out, const Json& logprobs, std::string_view finish) const {
    out += ",\"logprobs\":";
    out += logprobs.is_null() ? "null" : dump(logprobs);
    out += ",\"finish_reason\":";
    if (finish.empty()) {
      out += "null";
    } else {
      append_json_string(out, finish);
    }
    out.append("}").append(tail_);
  }
  // close() without log probabilities and finish reason: the case of nearly every token.
  void close_plain(std::string& out) const { out.append(",\"logprobs\":null,\"finish_reason\":null}").append(tail_); }

 private:
  const int choices_;
  const bool include_usage_;
  const std::string start_;
  const std::string_view tail_;
};

class ChatStreamWriter : public ChunkWriter {
 public:
  explicit ChatStreamWriter(ReplyHead head) : ChunkWriter(std::move(head), "chat.completion.chunk") {}

  void begin(std::string& out, const Usage&) override {
    for (int i = 0; i < choices(); ++i) {
      open(out, i);
      out += ",\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}";
      close_plain(out);
    }
  }
  void text(std::string& out, int index, std::string_view piece, const std::vector<TokenLogprob>& logprobs) override {
    delta(out, index, "content", piece);
    if (logprobs.empty()) return close_plain(out);
    close(out, chat_logprobs(logprobs), "");
  }
  void reasoning(std::string& out, int index, std::string_view piece) override {
    delta(out, index, "reasoning_content", piece);
    close_plain(out);
  }
  void tool_call(std::string& out, int index, int call, std::string_view id, std::string_view name,
                 std::string_view arguments) override {
    Json function = Json::object();
    if (!name.empty()) function["name"] = name;
    function["arguments"] = arguments;
    Json item = {{"index", call}};
    if (!id.empty()) item["id"] = id;
    if (!id.empty()) item["type"] = "function";
    item["function"] = std::move(function);
    open(out, index);
    out.append(",\"delta\":{\"tool_calls\":[").append(dump(item)).append("]}");
    close_plain(out);
  }
  void finish(std::string& out, int index, FinishReason reason, std::string_view) override {
    open(out, index);
    out += ",\"delta\":{}";
    close(out, nullptr, finish_text(reason));
  }

 private:
  void delta(std::string& out, int index, std::string_view member, std::string_view piece) const {
    open(out, index);
    out.append(",\"delta\":{\"").append(member).append("\":");
    append_json_string(out, piece);
    out += '}';
  }
};

class CompletionStreamWriter : public ChunkWriter {
 public:
  explicit CompletionStreamWriter(ReplyHead head)
      : ChunkWriter(head, "text_completion"), offsets_(static_cast<std::size_t>(head.choices)) {}

  void begin(std::string&, const Usage&) override {}
  void text(std::string& out, int index, std::string_view piece, const std::vector<TokenLogprob>& logprobs) override {
    open(out, index);
    out += ",\"text\":";
    append_json_string(out, piece);
    if (logprobs.empty()) return close_plain(out);
    std::size_t& offset = offsets_.at(static_cast<std::size_t>(index));
    close(out, completion_logprobs(logprobs, offset), "");
    for (const TokenLogprob& token : logprobs) offset += token.token.size();
  }
  // A completion has neither; their text was part of the reply's text.
  void reasoning(std::string&, int, std::string_view) override {}
  void tool_call(std::string&, int, int, std::string_view, std::string_view, std::string_view) override {}
  void finish(std::string& out, int index, FinishReason reason, std::string_view) override {
    open(out, index);
    out += ",\"text\":\"\"";
    close(out, nullptr, finish_text(reason));
  }

 private:
  std::vector<std::size_t> offsets_;
};

}  // namespace

std::unique_ptr<ReplyWriter> make_chat_stream_writer(ReplyHead head) {
  return std::make_unique<ChatStreamWriter>(std::move(head));
}

std::unique_ptr<ReplyWriter> make_completion_stream_writer(ReplyHead head) {
  return std::make_unique<CompletionStreamWriter>(std::move(head));
}

}  // namespace cloister::engine
