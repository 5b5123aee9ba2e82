#include "apps/serve_loop.h"

#include <time.h>

#include <string>

#include "apps/service_manager.h"
#include "base/log.h"

namespace cloister::apps {

sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

Result<void> wait_for_stop(const sigset_t& signals, const engine::Engine& engine,
                           const std::function<Result<void>()>& on_ready, const std::function<void()>& reload) {
  bool ready = false;
  while (true) {
    const timespec pause{0, 200'000'000};
    const int got = ready ? ::sigwaitinfo(&signals, nullptr) : ::sigtimedwait(&signals, nullptr, &pause);
    if (got == SIGHUP) {
      notify_reloading();
      reload();
      if (ready) notify_ready();
      continue;
    }
    if (got > 0) return {};
    if (ready) continue;
    if (engine.health() == engine::Health::kFailed) return fail(ErrorCode::kModelFile, engine.failure());
    ready = engine.health() == engine::Health::kReady;
    if (!ready) continue;
    TRY_VOID(on_ready());
    log::info("engine ready name=" + std::string(engine.name()));
    notify_ready();
  }
}

}  // namespace cloister::apps
