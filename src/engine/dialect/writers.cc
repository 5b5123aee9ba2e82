#include "engine/dialect/writers.h"

#include "codec/json.h"

namespace cloister::engine {
namespace {

// Collects the whole reply and writes one JSON object at the end.
class BufferedWriter : public ReplyWriter {
 public:
  explicit BufferedWriter(ReplyHead head) : head_(std::move(head)), choices_(static_cast<std::size_t>(head_.choices)) {}

  std::string_view content_type() const override { return "application/json"; }
  void begin(std::string&, const Usage&) override {}
  void text(std::string&, int index, std::string_view piece, const std::vector<TokenLogprob>& logprobs) override {
    at(index).text += piece;
    at(index).logprobs.insert(at(index).logprobs.end(), logprobs.begin(), logprobs.end());
  }
  void reasoning(std::string&, int index, std::string_view piece) override { at(index).reasoning += piece; }
  void tool_call(std::string&, int index, int call, std::string_view id, std::string_view name,
                 std::string_view arguments) override {
    at(index).add_call(call, id, name, arguments);
  }
  void finish(std::string&, int index, FinishReason reason, std::string_view stop) override {
    at(index).finish = reason;
    at(index).stop = stop;
  }
  void end(std::string& out, const Usage& usage) override { out += dump(body(usage)); }
  void fail(std::string&, const Error&) override {}

 private:
  GatheredChoice& at(int index) { return choices_.at(static_cast<std::size_t>(index)); }
  Json body(const Usage& usage) const {
    switch (head_.route) {
      case Route::kCompletions: return completion_body(head_, choices_, usage);
      case Route::kResponses: return responses_body(head_, choices_.front(), usage);
      case Route::kMessages: return messages_body(head_, choices_.front(), usage);
      default: return chat_body(head_, choices_, usage);
    }
  }

  ReplyHead head_;
  std::vector<GatheredChoice> choices_;
};

}  // namespace

void GatheredChoice::add_call(int call, std::string_view id, std::string_view name, std::string_view piece) {
  auto index = static_cast<std::size_t>(call);
  if (calls.size() <= index) calls.resize(index + 1);
  if (!id.empty()) calls[index].id = id;
  if (!name.empty()) calls[index].name = name;
  calls[index].arguments += piece;
}

std::string dump(const Json& value) { return codec::write_json(value); }

void append_named_event(std::string& out, std::string_view name, const Json& data) {
  out.append("event: ").append(name).append("\ndata: ").append(dump(data)).append("\n\n");
}

std::unique_ptr<ReplyWriter> make_buffered_writer(ReplyHead head) {
  return std::make_unique<BufferedWriter>(std::move(head));
}

}  // namespace cloister::engine
