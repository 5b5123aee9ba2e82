#include "net/later.h"

#include "net/event_loop.h"
#include "net/loop.h"

namespace cloister::net {

void run_later(Loop& loop, std::chrono::milliseconds delay, std::function<void()> job) {
  loop.events().at(EventLoop::Clock::now() + delay, std::move(job));
}

}  // namespace cloister::net
