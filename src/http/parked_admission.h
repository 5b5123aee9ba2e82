// ParkedAdmission: where the thread that admits a request later and the loop of the waiting connection meet.
#pragma once

#include <memory>
#include <mutex>

#include "http/admission.h"
#include "net/mailbox.h"

namespace cloister::net {
class EventLoop;
}

namespace cloister::http {

class ParkedAdmission final : public net::MailboxNode, public std::enable_shared_from_this<ParkedAdmission> {
 public:
  // The connection that waits.
  class Owner {
   public:
    // Called once on the loop, unless detach() came first.
    virtual void on_decided(const Parking::Decide& decide) = 0;

   protected:
    ~Owner() = default;
  };

  // Both arguments live until detach().
  ParkedAdmission(net::EventLoop& loop, Owner& owner) : loop_(loop), owner_(&owner) {}

  // Any thread. The first call counts.
  void resume(Parking::Decide decide);
  // Loop thread: the owner no longer waits.
  void detach();

  void on_taken() override;

 private:
  net::EventLoop& loop_;
  std::mutex mutex_;  // guards everything below
  Owner* owner_;      // null when detached
  bool resumed_ = false;
  Parking::Decide decide_;
  std::shared_ptr<ParkedAdmission> self_;  // while it is in the mailbox
};

}  // namespace cloister::http
