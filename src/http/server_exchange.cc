#include "http/server_exchange.h"

#include <memory>
#include <utility>

#include "net/loop.h"

namespace cloister::http {

ServerExchange::ServerExchange(net::Loop& loop, Owner& owner, Request request, std::shared_ptr<Admitted> admitted,
                               std::shared_ptr<void> hold, std::size_t behind_limit_bytes)
    : loop_(loop),
      owner_(&owner),
      request_(std::move(request)),
      admitted_(std::move(admitted)),
      body_hold_(std::move(hold)),
      behind_limit_bytes_(behind_limit_bytes) {}

ServerExchange::~ServerExchange() { delete release_.load(); }

std::shared_ptr<const std::string> ServerExchange::share_body() {
  struct Shared {
    std::shared_ptr<void> hold;
    std::string body;
  };
  auto shared = std::make_shared<Shared>(Shared{std::move(body_hold_), std::move(request_.body)});
  request_.body.clear();
  return {shared, &shared->body};
}

void ServerExchange::notify() {
  // Acquires what the loop did when it took this out of the mailbox; or, when it is still there, lets the loop see what
  // is new.
  if (held_ || posted_.exchange(true)) return;
  self_ = shared_from_this();
  // Called under the lock: detach() takes the lock too, so the loop cannot end between here and the wake-up.
  loop_.deliver(*this);
}

void ServerExchange::set_observer(std::shared_ptr<ReplyObserver> observer) {
  const std::lock_guard lock(mutex_);
  if (stage_ == Stage::kOpen) observer_ = std::move(observer);
}

void ServerExchange::on_abandoned(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (stage_ != Stage::kDetached) {
      abandoned_ = std::move(callback);
      return;
    }
    if (!gone_) return;
  }
  callback();
}

void ServerExchange::respond(Response response) {
  const std::lock_guard lock(mutex_);
  if (stage_ != Stage::kOpen) return;
  stage_ = Stage::kEnded;
  response_ = std::make_unique<Response>(std::move(response));
  notify();
}

void ServerExchange::start(Response head) {
  const std::lock_guard lock(mutex_);
  if (stage_ != Stage::kOpen) return;
  stage_ = Stage::kStreaming;
  streamed_ = true;
  response_ = std::make_unique<Response>(std::move(head));
  pending_ = std::exchange(response_->body, {});
  notify();
}

void ServerExchange::write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (stage_ != Stage::kStreaming || overrun_ || bytes.empty()) return;
  if (behind_ && in_flight_bytes_ + pending_.size() > behind_limit_bytes_) {
    overrun_ = true;
    pending_ = std::string();
    return notify();
  }
  pending_.append(bytes);
  if (!behind_) notify();
}

void ServerExchange::finish(std::string_view last) {
  const std::lock_guard lock(mutex_);
  if (stage_ != Stage::kStreaming) return;
  if (!overrun_) pending_.append(last);
  stage_ = Stage::kEnded;
  if (!behind_) notify();
}

void ServerExchange::abort() {
  const std::lock_guard lock(mutex_);
  if (stage_ != Stage::kOpen && stage_ != Stage::kStreaming) return;
  stage_ = Stage::kAborted;
  if (!behind_) notify();
}

void ServerExchange::release(Headers further) {
  auto release = std::make_unique<Release>();
  release->further = std::move(further);
  this->release(std::move(release));
}

void ServerExchange::withhold(Response instead) {
  auto release = std::make_unique<Release>();
  release->instead = std::make_unique<Response>(std::move(instead));
  this->release(std::move(release));
}

void ServerExchange::release(std::unique_ptr<Release> release) {
  const std::lock_guard lock(mutex_);
  if (stage_ != Stage::kEnded || release_.load() != nullptr) return;
  release_.store(release.release());
  notify();
}

std::unique_ptr<ServerExchange::Release> ServerExchange::take_release() {
  return std::unique_ptr<Release>(release_.exchange(nullptr));
}

std::size_t ServerExchange::behind_bytes() {
  const std::lock_guard lock(mutex_);
  return behind_ ? in_flight_bytes_ + pending_.size() : 0;
}

void ServerExchange::on_caught_up(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  if (stage_ == Stage::kOpen) caught_up_ = std::move(callback);
}

void ServerExchange::post(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (stage_ == Stage::kDetached) return;
  // Called under the lock, as in notify().
  loop_.run([self = shared_from_this(), job = std::move(job)] {
    if (self->owner_ != nullptr) job();
  });
}

void ServerExchange::tell_caught_up() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (stage_ != Stage::kStreaming) return;
    callback = caught_up_;
  }
  if (callback) callback();
}

ServerExchange::Taken ServerExchange::take(std::string& data) {
  const std::lock_guard lock(mutex_);
  held_ = false;
  behind_ = false;
  data.swap(pending_);
  in_flight_bytes_ = data.size();
  Taken taken;
  taken.head = std::move(response_);
  taken.streamed = streamed_;
  taken.ended = stage_ == Stage::kEnded;
  taken.aborted = stage_ == Stage::kAborted;
  taken.overrun = overrun_;
  taken.observer = observer_.get();
  told_ = taken.ended || taken.aborted;
  return taken;
}

void ServerExchange::set_behind() {
  const std::lock_guard lock(mutex_);
  behind_ = true;
}

bool ServerExchange::is_overrun() {
  const std::lock_guard lock(mutex_);
  return overrun_;
}

void ServerExchange::complete() { detach(false, nullptr); }

void ServerExchange::abandon() {
  std::shared_ptr<ReplyObserver> cut;
  const auto callback = detach(true, &cut);
  if (callback) callback();
  if (cut != nullptr) cut->on_cut();
}

// Returns the callback to call when the connection is gone, and sets the observer to inform. Objects from handlers are
// destroyed outside the lock.
std::function<void()> ServerExchange::detach(bool gone, std::shared_ptr<ReplyObserver>* cut) {
  owner_ = nullptr;
  std::string pending;
  std::unique_ptr<Response> response;
  std::unique_ptr<Release> release;
  std::shared_ptr<ReplyObserver> observer;
  std::function<void()> callback;
  std::function<void()> caught_up;
  const std::lock_guard lock(mutex_);
  stage_ = Stage::kDetached;
  gone_ = gone;
  pending.swap(pending_);
  response.swap(response_);
  release.reset(release_.exchange(nullptr));
  observer.swap(observer_);
  if (cut != nullptr && !told_) *cut = observer;
  callback.swap(abandoned_);
  caught_up.swap(caught_up_);
  return callback;
}

void ServerExchange::on_taken() {
  const std::shared_ptr<ServerExchange> self = std::move(self_);
  posted_.exchange(false);  // not a mere store: it acquires what others have added in the meantime
  if (owner_ != nullptr) owner_->on_mail();
}

}  // namespace cloister::http
