#include "net/event_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace cloister::net {
namespace {

class Job final : public MailboxNode {
 public:
  explicit Job(std::function<void()> job) : job_(std::move(job)) {}
  void on_taken() override {
    const std::unique_ptr<Job> self(this);
    job_();
  }
  void on_dropped() override { delete this; }

 private:
  std::function<void()> job_;
};

int made(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
  return descriptor;
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(made(::epoll_create1(EPOLL_CLOEXEC), "epoll")), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (wake_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0) return;
  const int error = errno;
  if (wake_ >= 0) ::close(wake_);
  ::close(epoll_);
  throw std::system_error(error, std::generic_category(), "eventfd");
}

EventLoop::~EventLoop() {
  mailbox_.drop();
  ::close(wake_);
  ::close(epoll_);
}

void EventLoop::run() {
  while (!stopped_) {
    mailbox_.run();
    run_due();
    if (!stopped_) wait_and_tell();
  }
  while (!mailbox_.empty()) mailbox_.run();
}

void EventLoop::wait_and_tell() {
  int timeout_ms = turns_.empty() ? wait_ms() : 0;
  asleep_.store(true);
  // A thread that put something in before it saw the loop sleep does not wake it.
  if (!mailbox_.empty()) timeout_ms = 0;
  const int got = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  asleep_.store(false, std::memory_order_relaxed);
  count_ = static_cast<std::size_t>(std::max(got, 0));
  for (next_ = 0; next_ < count_;) {
    const epoll_event event = events_[next_++];
    if (event.data.ptr == nullptr) {
      if (event.events != 0) clear_wake();
    } else {
      static_cast<Listener*>(event.data.ptr)->on_events(event.events);
    }
    if (!mailbox_.empty()) mailbox_.run();
  }
  if (!turns_.empty()) take_turns();
}

void EventLoop::queue(Turn& turn) {
  if (turn.is_queued()) return;
  turn.place_ = turns_.insert(turns_.end(), &turn);
  turn.queue_ = &turns_;
}

// A turn that is queued again meanwhile comes after the next look for events.
void EventLoop::take_turns() {
  for (std::size_t left = std::min(turns_.size(), kTurnsAtOnce); left > 0 && !turns_.empty(); --left) {
    Turn& turn = *turns_.front();
    turn.withdraw();
    turn.on_turn();
    if (!mailbox_.empty()) mailbox_.run();
  }
}

void EventLoop::add(int descriptor, std::uint32_t events, Listener& listener) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &listener;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll");
}

void EventLoop::change(int descriptor, std::uint32_t events, Listener& listener) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &listener;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void EventLoop::forget(const Listener& listener) {
  for (std::size_t i = next_; i < count_; ++i) {
    if (events_[i].data.ptr == &listener) events_[i] = {};
  }
}

void EventLoop::deliver(MailboxNode& node) {
  mailbox_.push(&node);
  if (asleep_.load() && asleep_.exchange(false)) wake();
}

void EventLoop::post(std::function<void()> job) { deliver(*std::make_unique<Job>(std::move(job)).release()); }

void EventLoop::wake() {
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, and then the loop wakes up anyway.
  [[maybe_unused]] const ssize_t done = ::write(wake_, &one, sizeof(one));
}

void EventLoop::clear_wake() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t done = ::read(wake_, &count, sizeof(count));
}

void EventLoop::at(Clock::time_point when, std::function<void()> job) { due_.emplace(when, std::move(job)); }

void EventLoop::run_due() {
  if (due_.empty()) return;
  const Clock::time_point now = Clock::now();
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto first = due_.extract(due_.begin());
    first.mapped()();
  }
}

// Rounded up: a millisecond too late is better than spinning until the time has come.
int EventLoop::wait_ms() const {
  if (due_.empty()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_.begin()->first - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

}  // namespace cloister::net
