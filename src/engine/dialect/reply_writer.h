// ReplyWriter: turns what an engine produces (text, tool calls, an end) into the reply bytes of one dialect, buffered
// or as server-sent events. Engines know tokens; only the writers know OpenAI's and Anthropic's shapes.
//
// One writer serves one reply, on one thread. Each call appends to `out` what is ready to be sent: nothing until end()
// when buffered, whole events when streamed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/engine.h"

namespace cloister::engine {

struct ReplyHead {
  Route route = Route::kChatCompletions;
  std::string id;
  std::string model;
  std::string fingerprint;   // "system_fingerprint"; left out when empty
  std::int64_t created = 0;  // seconds since 1970
  bool stream = false;
  bool include_usage = false;  // streamed chat and completions report usage only when asked
  int choices = 1;
  Json echoed = Json::object();  // members of the request that a Responses reply repeats: tools, tool_choice
};

struct TokenLogprob {
  struct Alternative {
    std::string token;
    float logprob = 0;
  };
  std::string token;
  float logprob = 0;
  std::vector<Alternative> top;
};

enum class FinishReason { kStop, kLength, kToolCalls };
// The finish reason in the words of Outcome and the OpenAI dialects.
std::string_view finish_text(FinishReason reason);

class ReplyWriter {
 public:
  virtual ~ReplyWriter() = default;
  virtual std::string_view content_type() const = 0;
  // Called first, once, before the first piece. `prompt` has the prompt's token counts.
  virtual void begin(std::string& out, const Usage& prompt) = 0;
  // A piece of choice `index`. `logprobs` are those of the tokens of this piece; empty when they are not wanted.
  virtual void text(std::string& out, int index, std::string_view piece, const std::vector<TokenLogprob>& logprobs) = 0;
  virtual void reasoning(std::string& out, int index, std::string_view piece) = 0;
  // `id` and `name` come with the first piece of a call and are empty in later ones.
  virtual void tool_call(std::string& out, int index, int call, std::string_view id, std::string_view name,
                         std::string_view arguments) = 0;
  // Ends choice `index`. `stop` is the stop string that ended the choice, if one did.
  virtual void finish(std::string& out, int index, FinishReason reason, std::string_view stop) = 0;
  // One of these two is called last, once. A stream that has begun ends with the dialect's error event, a buffered reply with nothing.
  virtual void end(std::string& out, const Usage& usage) = 0;
  virtual void fail(std::string& out, const Error& error) = 0;
};

}  // namespace cloister::engine
