#include "serve/inference_call.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "serve/openai/envelope.h"
#include "serve/openai/error_body.h"
#include "serve/transcript.h"

namespace cloister::serve {
namespace {

std::string new_reply_id(engine::Route route) {
  ByteArray<16> random;
  crypto::fill_random(random);
  return std::string(engine::id_prefix(route)) + to_hex(random);
}

// The model a request names, or the only one there is.
Result<void> check_model(const engine::Engine& engine, const std::string& wanted) {
  if (wanted.empty()) return {};
  std::string served;
  for (const engine::ModelInfo& model : engine.models()) {
    if (model.id == wanted) return {};
    served.append(served.empty() ? "" : ", ").append(model.id);
  }
  // Long names are cut: the message goes back to the caller, not to a log.
  return fail(ErrorCode::kModelNotFound,
              "the model '" + wanted.substr(0, 128) + "' is not served here; this node serves: " + served, "model");
}

}  // namespace

InferenceCall::InferenceCall(NodeContext& context, const InferenceRoute& route, Call call)
    : context_(context),
      route_(route),
      id_(new_reply_id(route.route)),
      owner_(call.owner),
      body_(std::make_shared<const std::string>(call.exchange->take_body())),
      exchange_(std::move(call.exchange)) {
  context_.metrics.request_started();
}

InferenceCall::~InferenceCall() { context_.metrics.request_ended(); }

void InferenceCall::run() {
  Result<void> started = start_engine();
  if (!started) refuse(started.error());
}

Result<void> InferenceCall::start_engine() {
  if (context_.engine.health() == engine::Health::kLoading) {
    return fail(ErrorCode::kEngineLoading, "the model is still loading; try again shortly");
  }
  if (!context_.engine.routes().contains(route_.route)) {
    return fail(ErrorCode::kUnsupported, "the engine '" + std::string(context_.engine.name()) + "' does not serve this route");
  }
  TRY(envelope, read_envelope(*body_));
  TRY_VOID(check_model(context_.engine, envelope.model));
  stream_ = envelope.stream;
  if (stream_ && (route_.route == engine::Route::kEmbeddings || route_.route == engine::Route::kTokenize)) {
    return fail(ErrorCode::kInvalidRequest, "this route does not stream", "stream");
  }

  {
    std::lock_guard lock(mutex_);
    if (abandoned_) return {};
    if (context_.signing) {
      exchange_->set_observer(std::make_shared<Transcript>(context_, id_, owner_, exchange_->request().body_sha256));
    }
  }
  engine::EngineRequest to_engine;
  to_engine.route = route_.route;
  to_engine.id = id_;
  to_engine.body = std::move(body_);
  to_engine.json = std::move(envelope.json);
  to_engine.stream = stream_;
  TRY(generation, context_.engine.start(std::move(to_engine), shared_from_this()));

  bool already_gone = false;
  {
    std::lock_guard lock(mutex_);
    already_gone = abandoned_;
    // Not when the reply is over already: the generation holds this call as its sink, and nobody would part them again.
    if (exchange_) generation_ = generation;
  }
  if (already_gone) generation->cancel();
  return {};
}

void InferenceCall::abandon() {
  std::shared_ptr<engine::Generation> running;
  {
    std::lock_guard lock(mutex_);
    if (abandoned_) return;
    abandoned_ = true;
    running = std::move(generation_);
    exchange_.reset();
  }
  if (running) running->cancel();
  context_.metrics.count_abandoned();
}

std::shared_ptr<http::Exchange> InferenceCall::take_exchange() {
  std::lock_guard lock(mutex_);
  generation_.reset();
  return std::move(exchange_);
}

http::Headers InferenceCall::reply_headers() const {
  http::Headers headers = {{"x-request-id", id_}};
  if (stream_) headers.emplace_back("cache-control", "no-cache");
  return headers;
}

void InferenceCall::refuse(const Error& error) {
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (!exchange) return;
  exchange->set_observer(nullptr);
  http::Response response = error_response(error, route_.anthropic_dialect);
  response.headers.emplace_back("x-request-id", id_);
  reply(context_, Call{std::move(exchange), "", owner_}, route_.name, std::move(response));
}

void InferenceCall::on_start(std::string_view content_type) {
  content_type_ = content_type;
  if (!stream_) return;
  std::lock_guard lock(mutex_);
  if (!exchange_) return;
  http::Response head;
  head.content_type = content_type_;
  head.headers = reply_headers();
  context_.cors.decorate(exchange_->request(), head.headers);
  exchange_->start(std::move(head));
  streaming_ = true;
}

void InferenceCall::on_bytes(std::string_view bytes) {
  if (first_bytes_) {
    first_bytes_ = false;
    context_.metrics.observe_first_byte(std::chrono::steady_clock::now() - begun_);
  }
  if (!streaming_) {
    buffered_.append(bytes);
    return;
  }
  std::lock_guard lock(mutex_);
  if (exchange_) exchange_->write(bytes);
}

void InferenceCall::on_end(const engine::Outcome& outcome) {
  context_.metrics.count_usage(outcome.usage);
  context_.metrics.observe_reply(std::chrono::steady_clock::now() - begun_);
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (!exchange) return;
  if (streaming_) {
    context_.metrics.count_request(route_.name, 200);
    exchange->finish();
    return;
  }
  http::Response response;
  response.content_type = content_type_;
  response.headers = reply_headers();
  response.body = std::move(buffered_);
  reply(context_, Call{std::move(exchange), "", owner_}, route_.name, std::move(response));
}

void InferenceCall::on_error(const Error& error) {
  log::warn("inference failed id=" + id_ + " route=" + route_.name + " error=" + std::string(error_id(error.code)));
  if (!streaming_) return refuse(error);
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (!exchange) return;
  context_.metrics.count_request(route_.name, error_http_status(error.code));
  exchange->write(error_event(error, route_.anthropic_dialect));
  exchange->finish();
}

}  // namespace cloister::serve
