// Engine: turns the JSON body of an inference request into reply bytes. It knows the OpenAI and Anthropic dialects, and
// nothing of sockets, keys, hashes or TEEs. Why bytes and not typed tokens: docs/decisions/0003-engine-speaks-bytes.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::http {
class Loop;
}

namespace cloister::engine {

// From kDetokenize on only engines that pass requests on have them.
enum class Route {
  kChatCompletions,
  kCompletions,
  kEmbeddings,
  kResponses,
  kMessages,
  kTokenize,
  kCountTokens,
  kDetokenize,
  kRerank,
  kScore,
  kTranscriptions,
  kTranslations,
  kSpeech,
  kImageGenerations,
  kImageEdits,
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;   // names in lower case

// Whether the request is Anthropic's Messages form: POST /v1/messages and the count of its tokens.
bool is_messages_form(Route route);
// Whether an embedded engine computes text for it.
bool generates_text(Route route);

// The reply's id prefix by route: "chatcmpl-", "cmpl-", "emb-", "resp_", "msg_", "tok-", "req-".
std::string_view id_prefix(Route route);

struct EngineRequest {
  Route route = Route::kChatCompletions;
  // Our id for the reply. The engine puts it into the body where the dialect has a place for it.
  std::string id;
  // The body as the client sent it, and the object that codec::parse_json read from it; the engine judges its members.
  std::shared_ptr<const std::string> body;
  ByteArray<32> body_sha256{};
  Json json;
  bool stream = false;
  // The caller: a digest of the credential, all zero where there is none. What an engine keeps of a prompt is for the
  // prompt's own tenant only, unless the engine is told otherwise.
  ByteArray<16> tenant{};
  // The caller, for fairness among callers: the credential or, without one, the address (serve/client_name.h).
  std::string client;
  // For engines that pass requests on, which get no `json`: the path as it was called, the headers that may be forwarded,
  // and the loop of the client's connection.
  std::string path;
  HeaderList headers;
  http::Loop* loop = nullptr;
};

struct Usage {
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t completion_tokens = 0;
  std::uint64_t reasoning_tokens = 0;    // of the completion's; 0 where the engine does not tell
};

struct Outcome {
  std::string finish_reason;  // "stop", "length", "tool_calls", "" where the route has none
  Usage usage;
  // How the text was drawn, in effect and not as asked: {"temperature","top_p","top_k","min_p","max_tokens","seed",...};
  // null where the engine cannot tell. Integers and texts only, for canonical JSON: fractions stand as decimal texts.
  Json sampling;

  // False where nothing was counted, as with servers that do not tell: a reply has tokens, or its prompt had.
  bool metered() const { return usage.prompt_tokens != 0 || usage.completion_tokens != 0; }
};

// Receives one reply. Calls come one after the other, from a thread of the engine's own that is not the one that
// computes, or, for a buffered reply that is known at once, from inside Engine::start(); they must return quickly. Exactly one of
// on_end and on_error comes last, unless the generation is cancelled.
// How another server's reply begins.
struct PassedHead {
  int status = 200;
  HeaderList headers;          // content-type among them, where there is one
  bool whole = false;          // short, and gathered before anything is sent: an error can still take its place
  std::uint64_t length = 0;    // of a whole one
};

class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // Before the first bytes.
  virtual void on_start(std::string_view content_type) = 0;
  // What another server was sent in place of the request's body, before its reply; again when another one is asked.
  virtual void on_forwarded(const ByteArray<32>& body_sha256) { (void)body_sha256; }
  // In its place, from engines that pass replies on. An error after this ends the reply without an end.
  virtual void on_passed_head(PassedHead head) { (void)head; }
  // The reader of the reply does not keep up. An engine that can wait gives no more until Generation::resume().
  virtual bool is_behind() { return false; }
  // Body bytes: the whole JSON object when buffered, whole SSE events when streamed ("data: [DONE]\n\n" included).
  virtual void on_bytes(std::string_view bytes) = 0;
  virtual void on_end(const Outcome& outcome) = 0;
  // May come before or after on_start. The events of a stream that has started end with the dialect's own event of the error, which
  // an embedded engine has written before this call.
  virtual void on_error(const Error& error) = 0;
};

// One running request. Dropping it does not cancel; cancel() stops generation within a token and silences the sink, but
// for a call that is running in another thread at that moment. Any thread, any number of times.
class Generation {
 public:
  virtual ~Generation() = default;
  virtual void cancel() = 0;
  // After ReplySink::is_behind(): the reader has caught up. On the request's loop.
  virtual void resume() {}
};

// Called with the document of a model that is about to be served, before the first prompt, on a thread of the engine's own.
// After an Error the model is not served.
using IdentityHook = std::function<Result<void>(const Json& identity)>;

struct ModelInfo {
  std::string id;
  std::int64_t created = 0;        // seconds since 1970
  std::uint64_t context_length = 0;  // tokens a single request may use; 0 when unknown
  std::uint64_t parameters = 0;
  std::string quantization;        // "Q4_1"; empty when unknown
  // What exactly it is, by digests (docs/spec/model-identity.md); null while it loads, or where nothing was measured.
  std::shared_ptr<const Json> identity;
  // SHA-256 of its canonical form, where the engine has made it.
  std::optional<ByteArray<32>> identity_digest = {};
};

// kStalled: it takes requests and has computed nothing for long, though some run; it may come back.
enum class Health { kLoading, kReady, kStalled, kFailed };

struct EngineStats {
  std::uint64_t active = 0;    // requests that compute now
  std::uint64_t waiting = 0;   // requests in the queue
};

// One of the servers behind an engine that passes requests on.
struct UpstreamState {
  std::string url;
  std::string server;              // "vllm 0.11.0"; empty when it does not tell
  bool up = false;
  bool cache_salt = false;         // requests are salted by tenant
  std::uint64_t active = 0;
  std::uint64_t requests = 0;      // sent so far
  std::uint64_t failures = 0;
  std::vector<std::string> models;
  std::vector<std::string> routes; // paths that it is found to have
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;  // "llama.cpp", "echo"
  virtual Health health() const = 0;
  // Why health() is kFailed, in one line; empty otherwise.
  virtual std::string failure() const { return {}; }
  virtual std::vector<ModelInfo> models() const = 0;
  // The model of this id, if it is served. Any thread; called for each request.
  virtual std::optional<ModelInfo> find_model(std::string_view id) const;
  virtual std::set<Route> routes() const = 0;
  virtual EngineStats stats() const = 0;
  // True for an engine that hands body and reply on as they are: another server judges them.
  virtual bool passes_on() const { return false; }
  // True when start() costs no more than reading a body of a few kilobytes, whatever is in it: then an event loop may call it.
  virtual bool starts_quickly() const { return false; }
  virtual std::vector<UpstreamState> upstreams() const { return {}; }
  // The other server's own list of models, byte for byte; null where models() is all there is.
  virtual std::shared_ptr<const std::string> models_document() const { return nullptr; }
  // Any thread. Parses and queues; may do a few milliseconds of work (template, tokenizer), so large bodies belong on
  // a worker thread. An Error here means that the sink is never called.
  virtual Result<std::shared_ptr<Generation>> start(EngineRequest request, std::shared_ptr<ReplySink> sink) = 0;
};

}  // namespace cloister::engine
