#include "engine/upstream/relay.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "crypto/hash.h"
#include "net/loop.h"

namespace cloister::engine::upstream {
namespace {

// Shorter replies of known length are collected and sent at once, so that an upstream that ends early still leaves room
// for a true error.
constexpr std::uint64_t kGatherBytes = 64u << 10;
// A JSON reply that ends with the connection (RFC 9112, section 6.3, item 8) is collected too: only its own text says
// whether it is whole.
constexpr std::uint64_t kMostUnframedBytes = 16u << 20;

// Which parts of a reply's head are for the client. The rest is between this node and the upstream, or this node sets it.
bool keep_header(std::string_view name) {
  for (const std::string_view exact :
       {"content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "etag",
        "last-modified", "retry-after", "vary", "x-accel-buffering", "request-id"}) {
    if (name == exact) return true;
  }
  return name.starts_with("openai-") || name.starts_with("anthropic-") || name.starts_with("x-ratelimit-");
}

// True when the reply has this media type, ignoring parameters. `type` is in lower case.
bool is_of_type(const HeaderList& headers, std::string_view type) {
  for (const auto& [name, value] : headers) {
    if (name != "content-type") continue;
    std::string lower = value.substr(0, type.size());
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    return lower == type;
  }
  return false;
}

Error error_of(http::OutgoingFailure failure) {
  using http::OutgoingFailure;
  switch (failure) {
    case OutgoingFailure::kConnect:
    case OutgoingFailure::kTls: return fail(ErrorCode::kUpstreamUnreachable, "the engine cannot be reached; try again");
    case OutgoingFailure::kConnectTimeout:
    case OutgoingFailure::kTlsTimeout: return fail(ErrorCode::kUpstreamTimeout, "the engine takes no connection");
    case OutgoingFailure::kTimeout: return fail(ErrorCode::kUpstreamTimeout, "the engine did not answer in time");
    case OutgoingFailure::kMalformed: return fail(ErrorCode::kUpstreamBroken, "the engine's reply is not valid HTTP");
    default: return fail(ErrorCode::kUpstreamBroken, "the engine ended its reply too early");
  }
}

// True when nothing of the request can have reached the server.
bool is_unreachable(http::OutgoingFailure failure) {
  using http::OutgoingFailure;
  return failure == OutgoingFailure::kConnect || failure == OutgoingFailure::kConnectTimeout ||
         failure == OutgoingFailure::kTls || failure == OutgoingFailure::kTlsTimeout;
}

Error busy_error() {
  Error error = fail(ErrorCode::kBusy, "too many requests wait for the engine; try again");
  error.retry_after_s = 5;
  return error;
}

Error untested_error() {
  return fail(ErrorCode::kEngineFailed, "no engine has given its known answers, so this node takes no prompts");
}

}  // namespace

Relay::Relay(std::shared_ptr<RelayParts> parts, EngineRequest request, std::shared_ptr<ReplySink> sink,
             std::string model)
    : parts_(std::move(parts)), request_(std::move(request)), choice_(parts_->servers, model), sink_(std::move(sink)) {}

Result<std::shared_ptr<Relay>> Relay::make(std::shared_ptr<RelayParts> parts, EngineRequest request,
                                           std::shared_ptr<ReplySink> sink) {
  if (request.loop == nullptr) return fail(ErrorCode::kInternal, "this connection has no loop");
  const bool by_model = parts->servers.size() > 1 && models_differ(parts->servers);
  const std::string model = by_model ? model_of(*request.body) : std::string();
  auto relay = std::make_shared<Relay>(std::move(parts), std::move(request), std::move(sink), model);
  if (relay->choice_.is_empty()) return untested_error();
  return relay;
}

void Relay::start() {
  if (silenced_.load(std::memory_order_acquire)) {
    finish();
    return;
  }
  waits_ = true;  // before: its turn may come at once
  switch (parts_->turns.enter(shared_from_this(), request_.client)) {
    case Turns::Entry::kPlace: return begin();
    case Turns::Entry::kWaits: return;
    case Turns::Entry::kFull: return end_with(busy_error());
  }
}

// Under the lock: the loop does not end while this is not over.
template <typename Job>
bool Relay::run_unless_over(Job job) {
  const std::lock_guard lock(mutex_);
  if (over_) return false;
  request_.loop->run(std::move(job));
  return true;
}

bool Relay::on_turn() {
  return run_unless_over([self = shared_from_this()] {
    const bool over = self->sink_ == nullptr;
    if (over) return self->parts_->turns.leave(self->request_.client);
    self->begin();
  });
}

void Relay::on_no_turn() {
  static_cast<void>(run_unless_over([self = shared_from_this()] { self->end_with(busy_error()); }));
}

void Relay::begin() {
  waits_ = false;
  has_place_ = true;
  try_next();
}

// The body as the client sent it, or with the salt in it when this server accepts one.
Result<http::OutgoingRequest> Relay::make_request(bool fresh_connection) {
  const UpstreamOptions& options = parts_->options;
  const std::string_view body = *request_.body;
  http::OutgoingRequest out;
  out.body = {body, {}, {}};
  out.body_owner = request_.body;
  std::size_t size = body.size();
  ByteArray<32> sent_sha256 = request_.body_sha256;
  if (server_->takes_salt() && has_prompt(request_.route)) {
    TRY(insertion, plan_insertion(body, parts_->salter.salt(request_.tenant)));
    auto owner = std::make_shared<std::pair<std::shared_ptr<const std::string>, std::string>>(
        request_.body, std::move(insertion.text));
    out.body = {body.substr(0, insertion.position), owner->second, body.substr(insertion.position)};
    size += owner->second.size();
    crypto::Sha256 hash;
    for (const std::string_view piece : out.body) hash.update(as_bytes(piece));
    sent_sha256 = hash.finish();
    out.body_owner = std::move(owner);
  }
  if (sink_ != nullptr) sink_->on_forwarded(sent_sha256);
  out.target = server_->target();
  out.head = server_->request_head(request_.path, request_.headers, size);
  out.fresh_connection = fresh_connection;
  out.keep_header = &keep_header;
  out.connect_timeout_s = options.connect_timeout_s;
  out.first_byte_timeout_s = options.first_byte_timeout_s;
  out.idle_timeout_s = options.idle_timeout_s;
  return out;
}

void Relay::try_next() {
  server_ = choice_.next();
  if (server_ == nullptr || !server_->may_serve()) {
    server_.reset();  // a test failed in the meantime
    return end_with(untested_error());
  }
  server_->request_begun();
  sent_again_ = false;
  send(false);
}

void Relay::send(bool fresh_connection) {
  Result<http::OutgoingRequest> request = make_request(fresh_connection);
  if (!request) return end_with(request.error());
  // A failure inside send() may already have tried the next server: that server's call is kept.
  const std::shared_ptr<Server> server = server_;
  auto call = http::send(*request_.loop, std::move(*request), shared_from_this());
  if (call != nullptr && server == server_) call_ = std::move(call);
}

void Relay::leave_server() {
  if (server_ != nullptr) server_->request_over();
  server_.reset();
  call_.reset();
}

std::shared_ptr<ReplySink> Relay::finish() {
  leave_server();
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  auto sink = std::move(sink_);
  if (std::exchange(waits_, false)) parts_->turns.forget(*this);
  if (std::exchange(has_place_, false)) parts_->turns.leave(request_.client);
  return sink;
}

void Relay::end_with(const Error& error) {
  const auto sink = finish();
  if (sink != nullptr && !silenced_.load(std::memory_order_acquire)) sink->on_error(error);
}

// The rest of the reply is useless.
void Relay::end_here(http::OutgoingFailure failure) {
  server_->count_failure(false);
  const auto call = call_;
  end_with(error_of(failure));
  if (call != nullptr) call->cancel();
}

void Relay::cancel() {
  silenced_.store(true, std::memory_order_release);
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    if (!request_.loop->is_here()) {
      // Called under the lock: the loop does not end while this relay is not over.
      request_.loop->run([self = shared_from_this()] { self->cancel(); });
      return;
    }
  }
  const auto call = call_;
  const auto sink = finish();
  if (call != nullptr) call->cancel();
}

void Relay::resume() {
  if (call_ != nullptr) call_->resume();
}

void Relay::on_head(http::OutgoingHead head) {
  const bool unwilling = head.status == 502 || head.status == 503;
  if (unwilling) server_->count_failure(false);
  if (unwilling && choice_.has_another()) {
    const auto call = call_;
    leave_server();
    if (call != nullptr) call->cancel();
    return try_next();
  }
  // A redirect, or a "not modified" answer, answers no prompt.
  if (head.status >= 300 && head.status < 400) return end_here(http::OutgoingFailure::kMalformed);
  PassedHead passed;
  passed.status = head.status;
  passed.headers = std::move(head.headers);
  const bool events = is_of_type(passed.headers, "text/event-stream");
  const bool unframed = head.ends_with_connection && !events;
  if (unframed && !is_of_type(passed.headers, "application/json")) return end_here(http::OutgoingFailure::kClosed);
  if (unframed) unframed_json_.emplace(std::span<const codec::JsonOutline::Watch>());
  passed.whole = unframed || (head.length && *head.length <= kGatherBytes);
  passed.length = head.length.value_or(0);
  stream_end_.begin(events, !head.ends_with_connection);
  replying_ = true;
  if (!silenced_.load(std::memory_order_acquire)) sink_->on_passed_head(std::move(passed));
}

void Relay::on_body(std::string_view bytes) {
  const auto sink = sink_;
  if (sink == nullptr || silenced_.load(std::memory_order_acquire)) return;
  if (unframed_json_) {
    unframed_json_->feed(bytes);
    unframed_bytes_ += bytes.size();
    if (unframed_bytes_ > kMostUnframedBytes) return end_here(http::OutgoingFailure::kMalformed);
  }
  const StreamEnd::Passed passed = stream_end_.feed(bytes);
  if (!passed.before.empty()) sink->on_bytes(passed.before);
  if (!passed.bytes.empty()) sink->on_bytes(passed.bytes);
  if (call_ != nullptr && sink->is_behind()) call_->pause();
}

// What the reply says of itself is for whoever signs it to read.
void Relay::on_end() {
  if (unframed_json_ ? !unframed_json_->whole() : !stream_end_.whole()) {
    server_->count_failure(false);
    return end_with(error_of(http::OutgoingFailure::kClosed));
  }
  const auto sink = finish();
  if (sink != nullptr && !silenced_.load(std::memory_order_acquire)) sink->on_end({}, stream_end_.held());
}

void Relay::on_failed(http::OutgoingFailure failure, const Error&) {
  using http::OutgoingFailure;
  if (failure == OutgoingFailure::kStale && !sent_again_) {
    sent_again_ = true;
    call_.reset();
    return send(true);
  }
  const bool gone = is_unreachable(failure);
  server_->count_failure(gone);
  if (gone && !replying_ && choice_.has_another()) {
    leave_server();
    return try_next();
  }
  end_with(error_of(failure));
}

}  // namespace cloister::engine::upstream
