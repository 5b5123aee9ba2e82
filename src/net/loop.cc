#include "net/loop.h"

#include <signal.h>

#include <chrono>

namespace cloister::net {
namespace {

// OpenSSL writes to sockets without MSG_NOSIGNAL, and signals for the program are for the main thread.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::int64_t steady_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A write of OpenSSL to a closed socket raises no signal as long as this lives, and leaves none behind.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec now{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_;
};

}  // namespace

Loop::Loop() : now_s_(steady_seconds()) {}

Loop::~Loop() {
  if (thread_.joinable()) stop();
}

void Loop::start_thread() {
  thread_ = std::thread([this] {
    block_signals();
    begin();
  });
}

void Loop::run_here() {
  const WithoutSigpipe guard;
  begin();
}

void Loop::begin() {
  thread_id_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  schedule_tick();
  events_.run();
}

void Loop::schedule_tick() {
  events_.at(EventLoop::Clock::now() + std::chrono::seconds(1), [this] { tick(); });
}

void Loop::tick() {
  now_s_ = steady_seconds();
  // A guest may add another one.
  for (std::size_t i = 0; i < guests_.size(); ++i) guests_[i]->on_tick();
  schedule_tick();
}

void Loop::end() {
  for (std::size_t i = 0; i < guests_.size(); ++i) guests_[i]->on_end();
  events_.stop();
}

void Loop::stop() {
  events_.post([this] { end(); });
  thread_.join();
}

}  // namespace cloister::net
