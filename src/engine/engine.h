// Engine: turns the JSON body of an inference request into reply bytes. It knows the OpenAI and Anthropic dialects, and
// nothing of sockets, keys, hashes or TEEs. docs/decisions/0003-engine-speaks-bytes.md says why bytes and not typed tokens.
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
#include "evidence/reply_outcome.h"

namespace cloister::net {
class Loop;
}

namespace cloister::engine {

// Routes from kDetokenize on are served only by engines that pass requests on.
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

using HeaderList = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// True for requests in Anthropic's Messages form: POST /v1/messages and the count of its tokens.
bool is_messages_form(Route route);
// True when an embedded engine computes text for the route.
bool generates_text(Route route);

// The reply's id prefix by route: "chatcmpl-", "cmpl-", "emb-", "resp_", "msg_", "tok-", "req-".
std::string_view id_prefix(Route route);

struct EngineRequest {
  Route route = Route::kChatCompletions;
  // The node's id for the reply. The engine puts the id into the body where the dialect has a place for it.
  std::string id;
  // The body as the client sent it, and the object that codec::parse_json read from it; the engine checks its members.
  std::shared_ptr<const std::string> body;
  ByteArray<32> body_sha256{};
  Json json;
  bool stream = false;
  // The caller: a digest of the credential, all zero where there is none. What an engine keeps of a prompt is for the
  // prompt's own tenant only, unless the engine is told otherwise.
  ByteArray<16> tenant{};
  // The caller, for fairness among callers: the credential or, without one, the address (api/client_name.h).
  std::string client;
  // For engines that pass requests on, which get no `json`: the path as it was called, the headers that may be
  // forwarded, and the event loop of the client's connection.
  std::string path;
  HeaderList headers;
  net::Loop* loop = nullptr;
};

using Usage = evidence::TokenUsage;
using Outcome = evidence::ReplyOutcome;

// Receives one reply. Calls come one after the other, from a thread of the engine's own that is not the one that
// computes, or, for a buffered reply that is known at once, from inside Engine::start(); they must return quickly. Exactly one of
// on_end and on_error comes last, unless the generation is cancelled.
// How another server's reply begins.
struct PassedHead {
  int status = 200;
  HeaderList headers;        // they include content-type, where there is one
  bool whole = false;        // short, and collected before anything is sent: an error can still replace it
  std::uint64_t length = 0;  // of a whole reply
};

class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // Called before the first bytes.
  virtual void on_start(std::string_view content_type) = 0;
  // Digest of what another server was sent in place of the request's body, before its reply; called again for each further server.
  virtual void on_forwarded(const ByteArray<32>& body_sha256) { (void)body_sha256; }
  // Called instead of on_start() by engines that pass replies on. An error after this ends the reply without an end.
  virtual void on_passed_head(PassedHead head) { (void)head; }
  // True when the reader of the reply does not keep up. An engine that can wait sends no more until Generation::resume().
  virtual bool is_behind() { return false; }
  // Body bytes: a JSON object when buffered, SSE events when streamed, whole ones where this engine writes them.
  virtual void on_bytes(std::string_view bytes) = 0;
  // `last`: the bytes after those of on_bytes() that complete the reply. Of a stream they end with its last event, at which
  // clients take their reply as complete, and no bytes before them hold that event. Empty where on_bytes() had all.
  virtual void on_end(const Outcome& outcome, std::string_view last) = 0;
  // May come before or after on_start. The events of a stream that has started end with the dialect's own error event,
  // which an embedded engine has written before this call.
  virtual void on_error(const Error& error) = 0;
};

// One running request. Destroying it does not cancel the request; cancel() stops generation within a token and silences
// the sink, except for a call that is running in another thread at that moment. Any thread, any number of times.
class Generation {
 public:
  virtual ~Generation() = default;
  virtual void cancel() = 0;
  // Called after ReplySink::is_behind(), when the reader has caught up. On the request's loop.
  virtual void resume() {}
};

// Called with the document of a model that is about to be served, before the first prompt, on a thread of the engine's own.
// After an Error the model is not served.
using IdentityHook = std::function<Result<void>(const Json& identity)>;

struct ModelInfo {
  std::string id;
  std::int64_t created = 0;          // seconds since 1970
  std::uint64_t context_length = 0;  // tokens that a single request may use; 0 when unknown
  std::uint64_t parameters = 0;
  std::string quantization;  // "Q4_1"; empty when unknown
  // The model's exact identity, by digests (docs/spec/model-identity.md); null while it loads, or where nothing was measured.
  std::shared_ptr<const Json> identity;
  // SHA-256 of the identity's canonical form, where the engine has computed it.
  std::optional<ByteArray<32>> identity_digest = {};
};

// kStalled: the engine takes requests and has computed nothing for long although some run; it may recover.
enum class Health { kLoading, kReady, kStalled, kFailed };

struct EngineStats {
  std::uint64_t active = 0;   // requests that are being computed
  std::uint64_t waiting = 0;  // requests in the queue
};

// One of the servers behind an engine that passes requests on.
struct UpstreamState {
  std::string url;
  std::string server;  // "vllm 0.11.0"; empty when the server does not tell
  bool up = false;
  bool cache_salt = false;  // the prompt cache is salted by tenant
  std::uint64_t active = 0;
  std::uint64_t requests = 0;  // sent so far
  std::uint64_t failures = 0;
  std::vector<std::string> models;
  std::vector<std::string> routes;  // paths that the server was found to serve
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;  // "llama.cpp", "echo"
  virtual Health health() const = 0;
  // Why health() is kFailed, in one line; empty otherwise.
  virtual std::string failure() const { return {}; }
  virtual std::vector<ModelInfo> models() const = 0;
  // Returns the model of this id, if it is served. Any thread; called for each request.
  virtual std::optional<ModelInfo> find_model(std::string_view id) const;
  virtual std::set<Route> routes() const = 0;
  virtual EngineStats stats() const = 0;
  // True for an engine that passes body and reply on unchanged: another server checks them.
  virtual bool passes_on() const { return false; }
  // True when start() never costs more than reading a body of a few kilobytes: then an event loop may call it.
  virtual bool starts_quickly() const { return false; }
  virtual std::vector<UpstreamState> upstreams() const { return {}; }
  // The other server's own list of models, byte for byte; null where models() is the whole list.
  virtual std::shared_ptr<const std::string> models_document() const { return nullptr; }
  // Any thread. Parses and queues; may compute for a few milliseconds (template, tokenizer), so large bodies belong on
  // a worker thread. After an Error here the sink is never called.
  virtual Result<std::shared_ptr<Generation>> start(EngineRequest request, std::shared_ptr<ReplySink> sink) = 0;
};

}  // namespace cloister::engine
