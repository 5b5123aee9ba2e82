#include "serve/run_later.h"

#include <utility>

#include "http/later.h"
#include "http/outgoing.h"

namespace cloister::serve {

void run_later_on_loop(http::Exchange& exchange, std::chrono::milliseconds delay, std::function<void()> job) {
  http::Loop* const loop = exchange.loop();
  if (loop == nullptr) return;
  if (http::on_loop(*loop)) return http::run_later(*loop, delay, std::move(job));
  http::run_on_loop(*loop,
                    [loop, delay, job = std::move(job)]() mutable { http::run_later(*loop, delay, std::move(job)); });
}

}  // namespace cloister::serve
