#include "serve/computing_call.h"

#include <string>
#include <utility>

#include "api/envelope.h"
#include "engine/known_answers/record.h"

namespace cloister::serve {
namespace {

using Author = receipts::ReceiptedReply::Author;

// When a stream is first checked, and how many checks in a row find nothing new before a comment is sent.
constexpr std::chrono::milliseconds kFirstLook{1000}, kNextLook{5000};
constexpr int kQuietLooks = 2;
constexpr std::string_view kComment = ": nothing yet\n\n";

// The model that a request names, or the only one there is.
Result<std::string> find_model(const engine::Engine& engine, const std::string& wanted) {
  if (wanted.empty()) {
    const auto models = engine.models();
    return models.empty() ? std::string() : models.front().id;
  }
  if (!engine.find_model(wanted)) return not_served(engine, wanted);
  return wanted;
}

http::Response head_of(std::string_view content_type) {
  http::Response head;
  head.content_type = content_type;
  return head;
}

}  // namespace

Result<void> ComputingCall::start_engine() {
  engine::Engine& engine = context().engine;
  if (engine.health() == engine::Health::kLoading) {
    return fail(ErrorCode::kEngineLoading, "the model is still loading; try again shortly");
  }
  if (!engine.routes().contains(route().route)) {
    return fail(ErrorCode::kUnsupported, "the engine '" + std::string(engine.name()) + "' does not serve this route");
  }
  TRY(envelope, api::read_envelope(body()));
  if (transcript() != nullptr && !envelope.model.empty()) transcript()->set_model(envelope.model);
  if (lacks_protection(envelope.json, /*takes_cache_salt=*/false)) return {};
  TRY(served, find_model(engine, envelope.model));
  stream_ = envelope.stream;
  if (stream_ && !engine::generates_text(route().route)) {
    return fail(ErrorCode::kInvalidRequest, "this route does not stream", "stream");
  }

  if (transcript() != nullptr) {
    auto known_answers = engine::known_answers_of(engine, served);
    transcript()->set_served(std::move(served), body_sha256(), reply().id(), std::move(known_answers));
  }
  engine::EngineRequest to_engine = make_request();
  to_engine.json = std::move(envelope.json);
  to_engine.stream = stream_;
  TRY_VOID(launch(std::move(to_engine)));
  if (stream_) look_again_in(kFirstLook);
  return {};
}

void ComputingCall::look_again_in(std::chrono::milliseconds delay) {
  reply().with_exchange([&](http::Exchange& exchange) {
    const auto self = std::static_pointer_cast<ComputingCall>(shared_from_this());
    context().run_later(exchange, delay, [weak = std::weak_ptr(self)] {
      if (const auto live = weak.lock()) live->on_silence();
    });
  });
}

void ComputingCall::on_silence() {
  if (!reply().is_streaming()) {
    begin_stream("text/event-stream");
  } else if (++quiet_looks_ > kQuietLooks) {
    quiet_looks_ = 1;
    reply().write(kComment);
  }
  look_again_in(kNextLook);
}

void ComputingCall::begin_stream(std::string_view content_type) {
  reply().stream(head_of(content_type), Author::kThisNode);
}

void ComputingCall::on_start(std::string_view content_type) {
  if (stream_) return begin_stream(content_type);
  reply().collect(head_of(content_type), Author::kThisNode);
}

void ComputingCall::on_bytes(std::string_view bytes) {
  quiet_looks_ = 0;
  InferenceCall::on_bytes(bytes);
}

}  // namespace cloister::serve
