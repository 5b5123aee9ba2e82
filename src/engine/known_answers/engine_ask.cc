#include "engine/known_answers/engine_ask.h"

#include "codec/json.h"
#include "crypto/hash.h"

namespace cloister::engine {
namespace {

// Much longer than a test takes: so slow an engine shows nothing, and the age of the last success decides.
constexpr std::chrono::milliseconds kPatience = std::chrono::minutes(1);
// Clients take turns, and this one is a client of its own.
constexpr std::string_view kClient = "known-answers";

Error stopped_error() { return fail(ErrorCode::kCancelled, "the engine stops"); }

}  // namespace

bool EngineAsk::enter(const std::shared_ptr<CollectingSink>& sink) {
  const std::lock_guard lock(mutex_);
  if (!stopped_) waiting_.insert(sink);
  return !stopped_;
}

void EngineAsk::leave(const std::shared_ptr<CollectingSink>& sink) {
  const std::lock_guard lock(mutex_);
  waiting_.erase(sink);
}

Result<std::string> EngineAsk::ask(const std::string& body, const ByteArray<16>& tenant) {
  auto sink = std::make_shared<CollectingSink>();
  EngineRequest request;
  request.route = Route::kChatCompletions;
  request.id = "known-answers";
  request.body = std::make_shared<const std::string>(body);
  request.body_sha256 = crypto::sha256(as_bytes(body));
  TRY(json, codec::parse_json(body));
  request.json = std::move(json);
  request.tenant = tenant;
  request.client = kClient;
  if (!enter(sink)) return stopped_error();
  Result<std::shared_ptr<Generation>> generation = start_(std::move(request), sink);
  Result<std::string> reply = generation ? sink->wait_for(kPatience) : Result<std::string>(generation.error());
  leave(sink);
  if (generation && !reply) (*generation)->cancel();
  return reply;
}

void EngineAsk::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (const std::shared_ptr<CollectingSink>& sink : waiting_) sink->abandon(stopped_error());
}

}  // namespace cloister::engine
