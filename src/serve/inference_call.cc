#include "serve/inference_call.h"

#include <algorithm>

#include "api/aci_headers.h"
#include "api/asked_protection.h"
#include "api/client_name.h"
#include "api/envelope.h"
#include "api/error_response.h"
#include "api/media_type.h"
#include "base/encoding.h"
#include "base/log.h"
#include "engine/known_answers/record.h"
#include "engine/upstream/usage.h"
#include "http/later.h"
#include "http/outgoing.h"
#include "serve/relayed_request.h"
#include "store/receipt_id.h"

namespace cloister::serve {
namespace {

// If a client is further behind than this, an engine that can wait does so.
constexpr std::size_t kBehindBytes = 128u << 10;
// When a stream is first checked, and how many checks in a row find nothing new before a comment is sent.
constexpr std::chrono::milliseconds kFirstLook{1000}, kNextLook{5000};
constexpr int kQuietLooks = 2;
// How many models a refusal names.
constexpr std::size_t kMostNamed = 16;

// What another server may see of a request's head: the type of the body and which version of an API is meant. It never
// sees the credential, nor who the client is.
engine::HeaderList forwarded_headers(const http::Headers& headers) {
  engine::HeaderList out;
  for (const auto& [name, value] : headers) {
    if (name == "content-type" || name == "accept" || name.starts_with("anthropic-") || name == "openai-beta") {
      out.emplace_back(name, value);
    }
  }
  return out;
}

// Receipt ids and reply ids share their digits, so the receipt of a reply can be found by its id.
std::string new_reply_id(engine::Route route) {
  return store::reply_id_of(store::new_receipt_id(), engine::id_prefix(route));
}

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

// The model that a request names, or the only one there is.
Result<std::string> find_model(const engine::Engine& engine, const std::string& wanted) {
  if (wanted.empty()) {
    const auto models = engine.models();
    return models.empty() ? std::string() : models.front().id;
  }
  if (!engine.find_model(wanted)) return not_served(engine, wanted);
  return wanted;
}

// Routes whose bodies may be forms with files.
bool takes_files(engine::Route route) {
  return route == engine::Route::kTranscriptions || route == engine::Route::kTranslations ||
         route == engine::Route::kImageEdits;
}

bool is_json(const http::RequestHead& head) { return api::media_type(head) == "application/json"; }

}  // namespace

InferenceCall::InferenceCall(NodeContext& context, const InferenceRoute& route, api::Call call)
    : context_(context),
      route_(route),
      id_(new_reply_id(route.route)),
      endpoint_(*call.endpoint),
      owner_(call.owner()),
      client_(api::client_name(call)),
      body_(call.exchange->share_body()),
      body_sha256_(call.exchange->request().body_sha256),
      exchange_(std::move(call.exchange)) {
  context_.metrics.requests.request_started();
  if (context_.receipts == nullptr) return;
  transcript_ = make_transcript(exchange_->request(), std::move(call.epoch));
  exchange_->set_observer(transcript_);
}

std::shared_ptr<receipts::Transcript> InferenceCall::make_transcript(
    const http::Request& request, std::shared_ptr<const identity::Epoch> epoch) const {
  receipts::ReplyFacts facts;
  facts.receipt_id = store::receipt_id_in(id_).value();
  facts.request_id = id_;
  facts.epoch = std::move(epoch);
  facts.owner = owner_;
  facts.endpoint = request.path;
  facts.request_sha256 = body_sha256_;
  facts.engine = context_.engine.name();
  facts.served_here = context_.serves_itself;
  const bool in_band = request.header("x-receipt") == "inline";
  return std::make_shared<receipts::Transcript>(*context_.receipts, std::move(facts), in_band,
                                                route_.anthropic_dialect);
}

InferenceCall::~InferenceCall() { context_.metrics.requests.request_ended(); }

void InferenceCall::run() {
  Result<void> started = start_engine();
  if (!started) refuse(started.error());
}

// Returns true when the request has been refused.
bool InferenceCall::lacks_protection(const Json& members) {
  const bool takes_salt = context_.engine.passes_on();  // the engine checks it (engine/upstream/salt.h)
  const std::optional<api::Refusal> refusal = api::refused_members(members, context_.serves_itself, takes_salt);
  if (!refusal) return false;
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (!exchange) return true;
  if (transcript_) transcript_->set_failure(refusal->code, refusal->status);
  http::Response response = api::to_response(*refusal, route_.anthropic_dialect);
  add_proof_headers(response.headers);
  reply(context_, api::Call{std::move(exchange), &endpoint_}, std::move(response));
  return true;
}

Result<void> InferenceCall::start_engine() {
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return {};  // abandoned while it waited for its turn
  }
  if (context_.engine.passes_on()) return pass_on();
  if (context_.engine.health() == engine::Health::kLoading) {
    return fail(ErrorCode::kEngineLoading, "the model is still loading; try again shortly");
  }
  if (!context_.engine.routes().contains(route_.route)) {
    return fail(ErrorCode::kUnsupported,
                "the engine '" + std::string(context_.engine.name()) + "' does not serve this route");
  }
  TRY(envelope, api::read_envelope(*body_));
  if (transcript_ && !envelope.model.empty()) transcript_->set_model(envelope.model);
  if (lacks_protection(envelope.json)) return {};
  TRY(served, find_model(context_.engine, envelope.model));
  stream_ = envelope.stream;
  if (stream_ && !engine::generates_text(route_.route)) {
    return fail(ErrorCode::kInvalidRequest, "this route does not stream", "stream");
  }

  if (transcript_) {
    auto known_answers = engine::known_answers_of(context_.engine, served);
    transcript_->set_served(std::move(served), body_sha256_, id_, std::move(known_answers));
  }
  engine::EngineRequest to_engine;
  to_engine.route = route_.route;
  to_engine.id = id_;
  to_engine.tenant = owner_;
  to_engine.client = client_;
  to_engine.body_sha256 = body_sha256_;
  to_engine.body = std::move(body_);
  to_engine.json = std::move(envelope.json);
  to_engine.stream = stream_;
  return launch(std::move(to_engine));
}

// The other server parses and checks the body. This node reads what its receipt will say, and refuses what the other
// server could read differently.
Result<void> InferenceCall::pass_on() {
  engine::EngineRequest to_engine;
  bool json = true;
  {
    std::lock_guard lock(mutex_);
    if (abandoned_) return {};
    const http::Request& request = exchange_->request();
    json = !takes_files(route_.route) || is_json(request);
    if (http::query_value(request.query, "model")) {
      return fail(ErrorCode::kInvalidRequest, "the model is named in the body and not in the query", "model");
    }
    to_engine.path = route_.path;
    if (!request.query.empty()) to_engine.path.append("?").append(request.query);
    to_engine.headers = forwarded_headers(request.headers);
    to_engine.loop = exchange_->loop();
  }
  to_engine.route = route_.route;
  to_engine.id = id_;
  to_engine.tenant = owner_;
  to_engine.client = client_;
  RelayedRequest relayed;
  if (json) {
    TRY(read, read_relayed_request(*body_));
    relayed = std::move(read);
  }
  if (transcript_) {
    transcript_->set_asked(relayed.model, [&engine = context_.engine](std::string_view told) {
      const auto model = engine.find_model(told);
      if (!model) return receipts::Transcript::Listed{};
      return receipts::Transcript::Listed{model->identity_digest, engine::known_answers_of(engine, told)};
    });
  }
  if (json && lacks_protection(relayed.protections)) return {};
  if (relayed.model && !context_.engine.find_model(*relayed.model)) {
    if (context_.engine.models().empty()) {
      return fail(ErrorCode::kUpstreamUnreachable, "no engine has listed its models yet; try again");
    }
    return not_served(context_.engine, *relayed.model);
  }
  to_engine.body_sha256 = body_sha256_;
  to_engine.body = std::move(body_);
  return launch(std::move(to_engine));
}

Result<void> InferenceCall::launch(engine::EngineRequest request) {
  {
    std::lock_guard lock(mutex_);
    if (abandoned_) return {};
  }
  Result<std::shared_ptr<engine::Generation>> started = context_.engine.start(std::move(request), shared_from_this());
  if (!started) {
    if (transcript_) transcript_->set_not_served();
    return started.error();
  }
  const std::shared_ptr<engine::Generation> generation = std::move(*started);
  bool already_gone = false;
  {
    std::lock_guard lock(mutex_);
    already_gone = abandoned_;
    // Not set when the reply is already over: the generation holds this call as its sink, and nothing would separate them again.
    if (exchange_) generation_ = generation;
  }
  if (already_gone) generation->cancel();
  if (stream_ && !context_.engine.passes_on()) watch_silence();
  return {};
}

void InferenceCall::watch_silence() {
  std::lock_guard lock(mutex_);
  if (!exchange_ || exchange_->loop() == nullptr) return;
  http::Loop& loop = *exchange_->loop();
  if (http::on_loop(loop)) return look_again_in(kFirstLook);
  http::run_on_loop(loop, [weak = weak_from_this()] {
    const auto live = weak.lock();
    if (!live) return;
    std::lock_guard again(live->mutex_);
    if (live->exchange_) live->look_again_in(kFirstLook);
  });
}

// Called with the lock held, while there is an exchange.
void InferenceCall::look_again_in(std::chrono::milliseconds delay) {
  http::run_later(*exchange_->loop(), delay, [weak = weak_from_this()] {
    if (auto live = weak.lock()) live->on_silence();
  });
}

void InferenceCall::on_silence() {
  std::lock_guard lock(mutex_);
  if (!exchange_) return;
  if (!streaming_) {
    begin_stream("text/event-stream");
  } else if (++quiet_looks_ > kQuietLooks) {
    quiet_looks_ = 1;
    exchange_->write(": nothing yet\n\n");
  }
  look_again_in(kNextLook);
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
  context_.metrics.requests.count_abandoned();
}

std::shared_ptr<http::Exchange> InferenceCall::take_exchange() {
  std::lock_guard lock(mutex_);
  generation_.reset();
  return std::move(exchange_);
}

void InferenceCall::expect_events() {
  if (!transcript_) return;
  const evidence::SaltSeed secret = context_.keyring.store_keys()->reply_secret(transcript_->receipt_id());
  reply_secret_ = to_hex(secret);
  transcript_->expect_events(secret);
}

void InferenceCall::add_proof_headers(http::Headers& headers) const {
  headers.emplace_back("x-request-id", id_);
  // A header from another server stays.
  if (route_.anthropic_dialect && !passed_on_) headers.emplace_back("request-id", id_);
  if (!transcript_) return;
  headers.emplace_back("x-receipt-id", transcript_->receipt_id());
  api::add_aci_headers(transcript_->epoch(), headers);
}

http::Headers InferenceCall::reply_headers() const {
  http::Headers headers = passed_headers_;
  add_proof_headers(headers);
  if (!reply_secret_.empty()) headers.emplace_back("x-receipt-secret", reply_secret_);
  if (stream_ && transcript_ && transcript_->in_band()) headers.emplace_back("trailer", "x-receipt");
  if (stream_ && !passed_on_) headers.emplace_back("cache-control", "no-cache");
  // nginx buffers a stream that does not say otherwise.
  const bool events = stream_ && content_type_.starts_with("text/event-stream");
  if (events && !http::find_header(headers, "x-accel-buffering")) headers.emplace_back("x-accel-buffering", "no");
  return headers;
}

void InferenceCall::refuse(const Error& error) {
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (exchange) refuse_on(std::move(exchange), error);
}

void InferenceCall::refuse_on(std::shared_ptr<http::Exchange> exchange, const Error& error) {
  if (transcript_) transcript_->set_failure(error);
  http::Response response = api::error_response(error, route_.anthropic_dialect);
  add_proof_headers(response.headers);
  reply(context_, api::Call{std::move(exchange), &endpoint_}, std::move(response));
}

void InferenceCall::on_start(std::string_view content_type) {
  std::lock_guard lock(mutex_);
  if (stream_) {
    if (!streaming_) begin_stream(content_type);
  } else {
    content_type_ = content_type;
  }
}

void InferenceCall::begin_stream(std::string_view content_type) {
  content_type_ = content_type;
  expect_events();
  if (!exchange_) return;
  http::Response head;
  head.content_type = content_type_;
  head.headers = reply_headers();
  context_.cors.decorate(exchange_->request(), head.headers);
  exchange_->start(std::move(head));
  streaming_ = true;
}

void InferenceCall::on_passed_head(engine::PassedHead head) {
  passed_on_ = true;
  status_ = head.status;
  stream_ = !head.whole;
  passed_headers_ = std::move(head.headers);
  const auto type = std::ranges::find(passed_headers_, "content-type", &std::pair<std::string, std::string>::first);
  if (type != passed_headers_.end()) {
    content_type_ = std::move(type->second);
    passed_headers_.erase(type);
  }
  if (head.whole) buffered_.reserve(head.length);
  const bool events = content_type_.starts_with("text/event-stream");
  words_ = std::make_shared<codec::ReplyWords>(events);
  if (transcript_) {
    transcript_->set_status(status_);
    if (events) expect_events();
    if (status_ < 400) transcript_->take_words(words_);
  }

  std::lock_guard lock(mutex_);
  if (!exchange_) return;
  if (head.whole) return;
  exchange_->on_caught_up([weak = weak_from_this()] {
    if (auto live = weak.lock()) live->resume();
  });
  http::Response start;
  start.status = status_;
  start.content_type = content_type_;
  start.headers = reply_headers();
  context_.cors.decorate(exchange_->request(), start.headers);
  exchange_->start(std::move(start));
  streaming_ = true;
}

void InferenceCall::on_forwarded(const ByteArray<32>& body_sha256) {
  if (transcript_) transcript_->set_forwarded(body_sha256);
}

bool InferenceCall::is_behind() {
  std::lock_guard lock(mutex_);
  return exchange_ && exchange_->behind_bytes() > kBehindBytes;
}

void InferenceCall::resume() {
  std::shared_ptr<engine::Generation> running;
  {
    std::lock_guard lock(mutex_);
    running = generation_;
  }
  if (running) running->resume();
}

void InferenceCall::read(std::string_view bytes) {
  if (first_bytes_ && !bytes.empty()) {
    first_bytes_ = false;
    context_.metrics.requests.observe_first_byte(std::chrono::steady_clock::now() - begun_);
  }
  if (words_ != nullptr) words_->feed(bytes);
}

void InferenceCall::on_bytes(std::string_view bytes) {
  read(bytes);
  if (!streaming_) {
    buffered_.append(bytes);
    return;
  }
  std::lock_guard lock(mutex_);
  quiet_looks_ = 0;
  if (exchange_) exchange_->write(bytes);
}

void InferenceCall::on_end(const engine::Outcome& told, std::string_view last) {
  read(last);
  // Another server's reply says it itself.
  const engine::Outcome outcome = words_ != nullptr ? engine::upstream::read_outcome(*words_) : told;
  context_.metrics.requests.count_usage(outcome.usage);
  context_.metrics.requests.observe_reply(std::chrono::steady_clock::now() - begun_);
  if (transcript_) transcript_->set_outcome(outcome);
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (!exchange) return;
  if (streaming_) {
    context_.metrics.requests.count_request(route_.name, status_);
    exchange->finish(last);
    return;
  }
  http::Response response;
  response.status = status_;
  response.content_type = content_type_;
  response.headers = reply_headers();
  buffered_.append(last);
  response.body = std::move(buffered_);
  reply(context_, api::Call{std::move(exchange), &endpoint_}, std::move(response));
}

void InferenceCall::on_error(const Error& error) {
  log::warn("inference failed id=" + store::shown_id(id_) + " route=" + route_.name +
            " error=" + std::string(error_id(error.code)));
  // From here on no stream begins by itself.
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (!exchange) return;
  if (!streaming_) return refuse_on(std::move(exchange), error);
  if (transcript_) transcript_->set_failure(error);
  context_.metrics.requests.count_request(route_.name, error_http_status(error.code));
  // Another server's stream was cut: it must not look whole, and it is not signed.
  if (passed_on_) return exchange->abort();
  exchange->finish("");
}

}  // namespace cloister::serve
