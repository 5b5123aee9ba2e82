#include "http/parked_admission.h"

#include <utility>

#include "net/event_loop.h"

namespace cloister::http {

void ParkedAdmission::resume(Parking::Decide decide) {
  const std::lock_guard lock(mutex_);
  if (resumed_ || owner_ == nullptr) return;
  resumed_ = true;
  decide_ = std::move(decide);
  self_ = shared_from_this();
  // Called under the lock: detach() takes the lock too, so the loop cannot end between here and the wake-up.
  loop_.deliver(*this);
}

void ParkedAdmission::detach() {
  // What the handler has given is destroyed outside the lock.
  Parking::Decide dropped;
  const std::lock_guard lock(mutex_);
  owner_ = nullptr;
  dropped.swap(decide_);
}

void ParkedAdmission::on_taken() {
  std::shared_ptr<ParkedAdmission> self;
  Parking::Decide decide;
  Owner* owner = nullptr;
  {
    const std::lock_guard lock(mutex_);
    self.swap(self_);
    decide.swap(decide_);
    owner = owner_;
  }
  if (owner != nullptr) owner->on_decided(decide);
}

}  // namespace cloister::http
