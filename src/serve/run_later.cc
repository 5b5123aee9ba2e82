#include "serve/run_later.h"

#include <utility>

#include "net/later.h"
#include "net/loop.h"

namespace cloister::serve {

void run_later_on_loop(http::Exchange& exchange, std::chrono::milliseconds delay, std::function<void()> job) {
  net::Loop* const loop = exchange.loop();
  if (loop == nullptr) return;
  if (loop->is_here()) return net::run_later(*loop, delay, std::move(job));
  loop->run([loop, delay, job = std::move(job)]() mutable { net::run_later(*loop, delay, std::move(job)); });
}

}  // namespace cloister::serve
