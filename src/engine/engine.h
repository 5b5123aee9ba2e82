// Engine: turns the JSON body of an inference request into reply bytes. It knows the OpenAI and Anthropic dialects, and
// nothing of sockets, keys, hashes or TEEs. Why bytes and not typed tokens: docs/decisions/0003-engine-speaks-bytes.md.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace cloister::engine {

enum class Route { kChatCompletions, kCompletions, kEmbeddings, kResponses, kMessages, kTokenize };

// The reply's id prefix by route: "chatcmpl-", "cmpl-", "emb-", "resp_", "msg_", "tok-".
std::string_view id_prefix(Route route);

struct EngineRequest {
  Route route = Route::kChatCompletions;
  // Our id for the reply. The engine puts it into the body where the dialect has a place for it.
  std::string id;
  // The body as the client sent it, and the object that codec::parse_json read from it; the engine judges its members.
  std::shared_ptr<const std::string> body;
  Json json;
  bool stream = false;
};

struct Usage {
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t completion_tokens = 0;
};

struct Outcome {
  std::string finish_reason;  // "stop", "length", "tool_calls", "" where the route has none
  Usage usage;
};

// Receives one reply. Calls come one after the other, from a thread of the engine's own that is not the one that
// computes, or, for a buffered reply that is known at once, from inside Engine::start(); they must return quickly. Exactly one of
// on_end and on_error comes last, unless the generation is cancelled.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // Before the first bytes.
  virtual void on_start(std::string_view content_type) = 0;
  // Body bytes: the whole JSON object when buffered, whole SSE events when streamed ("data: [DONE]\n\n" included).
  virtual void on_bytes(std::string_view bytes) = 0;
  virtual void on_end(const Outcome& outcome) = 0;
  // May come before or after on_start.
  virtual void on_error(const Error& error) = 0;
};

// One running request. Dropping it does not cancel; cancel() stops generation within a token and silences the sink, but
// for a call that is running in another thread at that moment. Any thread, any number of times.
class Generation {
 public:
  virtual ~Generation() = default;
  virtual void cancel() = 0;
};

struct ModelInfo {
  std::string id;
  std::int64_t created = 0;        // seconds since 1970
  std::uint64_t context_length = 0;  // tokens a single request may use; 0 when unknown
  std::uint64_t parameters = 0;
  std::string quantization;        // "Q4_1"; empty when unknown
};

enum class Health { kLoading, kReady, kFailed };

struct EngineStats {
  std::uint64_t active = 0;    // requests that compute now
  std::uint64_t waiting = 0;   // requests in the queue
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;  // "llama.cpp", "echo"
  virtual Health health() const = 0;
  // Why health() is kFailed, in one line; empty otherwise.
  virtual std::string failure() const { return {}; }
  virtual std::vector<ModelInfo> models() const = 0;
  virtual std::set<Route> routes() const = 0;
  virtual EngineStats stats() const = 0;
  // Any thread. Parses and queues; may do a few milliseconds of work (template, tokenizer), so large bodies belong on
  // a worker thread. An Error here means that the sink is never called.
  virtual Result<std::shared_ptr<Generation>> start(EngineRequest request, std::shared_ptr<ReplySink> sink) = 0;
};

}  // namespace cloister::engine
