#include "engine/echo/echo_timer.h"

namespace cloister::engine {
namespace {

// With many replies, sleeping before each piece would cost more than the pieces. So the thread then reads the clock at
// most this often, and sends everything that has become due meanwhile.
constexpr std::size_t kManyTasks = 32;
constexpr std::chrono::microseconds kLeastSleep{500};

}  // namespace

EchoTimer::EchoTimer() : thread_([this] { loop(); }) {}

EchoTimer::~EchoTimer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  for (; !entries_.empty(); entries_.pop()) entries_.top().task->abandon();
}

void EchoTimer::add(EchoTime due, std::shared_ptr<EchoTask> task) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = entries_.empty() || due < entries_.top().due;
    entries_.push({due, next_order_++, std::move(task)});
  }
  if (first) wake_.notify_one();
}

void EchoTimer::take_due(EchoTime now, std::vector<Entry>& out) {
  out.clear();
  while (!entries_.empty() && entries_.top().due <= now) {
    out.push_back(entries_.top());
    entries_.pop();
  }
}

void EchoTimer::loop() {
  std::vector<Entry> due;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (entries_.empty()) {
      wake_.wait(lock);
      continue;
    }
    EchoTime now = std::chrono::steady_clock::now();
    if (entries_.top().due > now) {
      EchoTime until = entries_.top().due;
      if (entries_.size() >= kManyTasks) until = std::max(until, now + kLeastSleep);
      wake_.wait_until(lock, until);
      now = std::chrono::steady_clock::now();
    }
    take_due(now, due);
    if (due.empty()) continue;
    lock.unlock();
    for (Entry& entry : due) entry.due = entry.task->run(entry.due);
    lock.lock();
    for (Entry& entry : due) {
      if (entry.due == EchoTime::max()) continue;
      entry.order = next_order_++;
      entries_.push(std::move(entry));
    }
    // A task that has ended must not live until the next one comes, since it holds its caller's reply.
    due.clear();
  }
}

}  // namespace cloister::engine
