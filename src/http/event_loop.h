// EventLoop: one thread that waits for sockets, for work from other threads and for points in time.
//
// It uses epoll directly: what a library's loop adds for each wait on a socket (re-arming it, one more round for work
// that a handler left) made up three of the ten kernel calls of a request. Work that comes up while an event is handled
// is done before the next event; other threads wake the loop only when it sleeps.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>

#include "http/mailbox.h"
#include "http/watch.h"

namespace cloister::http {

class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;

  // Throws std::system_error when there are no descriptors.
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until stop(); by then everything that was handed over before has been done.
  void run();

  // Any thread. Calls node.on_taken() on the loop, soon; allocates nothing.
  void deliver(MailboxNode& node);
  // Any thread. Runs the job on the loop, soon; never, when the loop has ended.
  void post(std::function<void()> job);

  // Loop thread only, as all below.
  void at(Clock::time_point when, std::function<void()> job);
  void stop() { stopped_ = true; }

 private:
  friend class Watch;
  int descriptor() const { return epoll_; }
  // Its pending events will not be delivered.
  void forget(const Watch& watch);

  void wake();
  void clear_wake();
  void run_due();
  int wait_ms() const;
  void wait_and_tell();

  static constexpr std::size_t kEventsAtOnce = 128;

  int epoll_;
  int wake_;                         // an eventfd
  std::atomic<bool> asleep_{false};  // a thread that brings work has to wake the loop
  bool stopped_ = false;
  Mailbox mailbox_;
  std::multimap<Clock::time_point, std::function<void()>> due_;  // a few entries
  std::array<epoll_event, kEventsAtOnce> events_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

}  // namespace cloister::http
