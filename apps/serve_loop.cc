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
  ::signal(SIGXFSZ, SIG_IGN);  // exceeding a limit on file sizes is a failure of the store and must not end the node
  return set;
}

Result<void> wait_for_stop(const sigset_t& signals, const engine::Engine& engine,
                           const std::function<void()>& now_and_then, const std::function<void()>& reload) {
  constexpr timespec kLoading{0, 200'000'000}, kReady{600, 0};
  bool ready = false;
  while (true) {
    const int got = ::sigtimedwait(&signals, nullptr, ready ? &kReady : &kLoading);
    if (got == SIGHUP) {
      notify_reloading();
      reload();
      if (ready) notify_ready();
      continue;
    }
    if (got > 0) return {};
    if (ready) {
      now_and_then();
      continue;
    }
    if (engine.health() == engine::Health::kFailed) return fail(ErrorCode::kModelFile, engine.failure());
    ready = engine.health() == engine::Health::kReady;
    if (!ready) continue;
    log::info("engine ready name=" + std::string(engine.name()));
    notify_ready();
    now_and_then();
  }
}

}  // namespace cloister::apps
