#include "engine/llama/work_limit.h"

#include <ctime>

#include <cstddef>
#include <new>

namespace cloister::engine::llama {
namespace {

// Reading the clock is a call of the kernel, so it is read once for this many states. Where there are many states, each
// takes longer, since it is compared with those before.
constexpr unsigned kAllocationsALook = 32;

// The library catches std::exception, and this type does not derive from it.
struct Exceeded {};

struct Limit {
  bool in_force = false;
  unsigned allocations = 0;
  double end = 0;  // by thread_seconds()
};
thread_local constinit Limit limit;

// Ends the limit when it goes out of scope, on any path.
struct InForce {
  explicit InForce(double seconds) { limit = {true, 0, thread_seconds() + seconds}; }
  ~InForce() { limit.in_force = false; }
};

void look() {
  if (++limit.allocations % kAllocationsALook != 0 || thread_seconds() < limit.end) return;
  limit.in_force = false;  // nothing is ended twice
  throw Exceeded();
}

}  // namespace

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

bool run_within(double seconds, const std::function<void()>& work) {
  try {
    const InForce in_force(seconds);
    work();
    return true;
  } catch (const Exceeded&) {
    return false;
  }
}

}  // namespace cloister::engine::llama

// Target of the linker's --wrap for operator new(std::size_t).
extern "C" {
void* __real__Znwm(std::size_t size);

void* __wrap__Znwm(std::size_t size) {
  if (cloister::engine::llama::limit.in_force) cloister::engine::llama::look();
  return __real__Znwm(size);
}
}
