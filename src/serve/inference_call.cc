#include "serve/inference_call.h"

#include <utility>

#include "api/asked_protection.h"
#include "api/client_name.h"
#include "base/log.h"
#include "store/receipt_id.h"

namespace cloister::serve {
namespace {

// How many models a refusal names.
constexpr std::size_t kMostNamed = 16;

// Receipt ids and reply ids share their digits, so the receipt of a reply can be found by its id.
std::string new_reply_id(engine::Route route) {
  return store::reply_id_of(store::new_receipt_id(), engine::id_prefix(route));
}

receipts::ReceiptedReplyContext replies_of(NodeContext& context) {
  return {{context.cors, context.identity, context.metrics.requests},
          context.keyring,
          context.receipts,
          context.engine.name(),
          context.serves_itself};
}

}  // namespace

Error not_served(const engine::Engine& engine, const std::string& wanted) {
  std::string served;
  std::size_t left = kMostNamed;
  for (const engine::ModelInfo& model : engine.models()) {
    if (left-- == 0) break;
    served.append(served.empty() ? "" : ", ").append(model.id);
  }
  // Long names are cut: the message goes back to the caller, not to a log.
  return fail(ErrorCode::kModelNotFound,
              "the model '" + wanted.substr(0, 128) + "' is not served here; this node serves: " + served, "model");
}

InferenceCall::InferenceCall(NodeContext& context, const InferenceRoute& route, api::Call call)
    : context_(context),
      route_(route),
      owner_(call.owner()),
      client_(api::client_name(call)),
      body_(call.exchange->share_body()),
      body_sha256_(call.exchange->request().body_sha256),
      reply_(replies_of(context), new_reply_id(route.route), std::move(call)) {
  context_.metrics.requests.request_started();
}

InferenceCall::~InferenceCall() { context_.metrics.requests.request_ended(); }

void InferenceCall::run() {
  if (is_abandoned()) return;  // abandoned while it waited for its turn
  Result<void> started = start_engine();
  if (!started) refuse(started.error());
}

bool InferenceCall::is_abandoned() {
  const std::lock_guard lock(mutex_);
  return abandoned_;
}

engine::EngineRequest InferenceCall::make_request() {
  engine::EngineRequest request;
  request.route = route_.route;
  request.id = reply_.id();
  request.tenant = owner_;
  request.client = client_;
  request.body_sha256 = body_sha256_;
  request.body = std::move(body_);
  return request;
}

bool InferenceCall::lacks_protection(const Json& members, bool takes_cache_salt) {
  const std::optional<api::Refusal> refusal = api::refused_members(members, context_.serves_itself, takes_cache_salt);
  if (refusal) reply_.refuse(*refusal);
  return refusal.has_value();
}

Result<void> InferenceCall::launch(engine::EngineRequest request) {
  if (is_abandoned()) return {};
  Result<std::shared_ptr<engine::Generation>> started = context_.engine.start(std::move(request), shared_from_this());
  if (!started) {
    if (transcript() != nullptr) transcript()->set_not_served();
    return started.error();
  }
  bool already_gone = false;
  {
    const std::lock_guard lock(mutex_);
    already_gone = abandoned_;
    // Not set when the reply is already over: the generation holds this call as its sink, and nothing would separate them again.
    if (!over_) generation_ = *started;
  }
  if (already_gone) (*started)->cancel();
  return {};
}

void InferenceCall::abandon() {
  std::shared_ptr<engine::Generation> running;
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return;
    over_ = abandoned_ = true;
    running = std::move(generation_);
  }
  reply_.drop();
  if (running) running->cancel();
  context_.metrics.requests.count_abandoned();
}

void InferenceCall::release_generation() {
  std::shared_ptr<engine::Generation> running;
  const std::lock_guard lock(mutex_);
  over_ = true;
  running = std::move(generation_);
}

void InferenceCall::resume() {
  std::shared_ptr<engine::Generation> running;
  {
    const std::lock_guard lock(mutex_);
    running = generation_;
  }
  if (running) running->resume();
}

void InferenceCall::count_first_bytes(std::string_view bytes) {
  if (!first_bytes_ || bytes.empty()) return;
  first_bytes_ = false;
  context_.metrics.requests.observe_first_byte(std::chrono::steady_clock::now() - begun_);
}

void InferenceCall::on_bytes(std::string_view bytes) {
  count_first_bytes(bytes);
  reply_.write(bytes);
}

void InferenceCall::on_end(const engine::Outcome& outcome, std::string_view last) {
  count_first_bytes(last);
  context_.metrics.requests.count_usage(outcome.usage);
  context_.metrics.requests.observe_reply(std::chrono::steady_clock::now() - begun_);
  if (transcript() != nullptr) transcript()->set_outcome(outcome);
  release_generation();
  reply_.end(last);
}

void InferenceCall::on_error(const Error& error) {
  log::warn("inference failed id=" + store::shown_id(reply_.id()) + " route=" + route_.name +
            " error=" + std::string(error_id(error.code)));
  release_generation();
  reply_.fail(error);
}

}  // namespace cloister::serve
