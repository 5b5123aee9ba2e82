#include "http/later.h"

#include "http/event_loop.h"
#include "http/loop.h"

namespace cloister::http {

void run_later(Loop& loop, std::chrono::milliseconds delay, std::function<void()> job) {
  loop.events().at(EventLoop::Clock::now() + delay, std::move(job));
}

}  // namespace cloister::http
