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
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <utility>

#include "net/mailbox.h"

namespace cloister::net {

class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;

  // Hears of what epoll reports for one descriptor.
  class Listener {
   public:
    // The bits are those of epoll_event::events. May end the listener.
    virtual void on_events(std::uint32_t events) = 0;

   protected:
    ~Listener() = default;
  };

  // Work that its owner has broken off so that others are not kept waiting, and continues when its turn comes.
  class Turn {
   public:
    Turn() = default;
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    // May end the object, or queue it again.
    virtual void on_turn() = 0;
    bool is_queued() const { return queue_ != nullptr; }
    // Gives the place in the queue up, as the destructor does.
    void withdraw() {
      if (queue_ != nullptr) std::exchange(queue_, nullptr)->erase(place_);
    }

   protected:
    ~Turn() { withdraw(); }

   private:
    friend class EventLoop;
    std::list<Turn*>* queue_ = nullptr;
    std::list<Turn*>::iterator place_;
  };

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
  // Calls turn.on_turn() after the turns that are queued already. Before it the loop looks for events at least once; between two looks a few
  // turns are taken. A turn that is queued already keeps its place; one that is destroyed or withdrawn is not called.
  void queue(Turn& turn);
  void stop() { stopped_ = true; }
  // Reports these events of the descriptor to the listener from now on. Throws std::system_error when the kernel has no room for one more.
  void add(int descriptor, std::uint32_t events, Listener& listener);
  // Reports these events instead. The descriptor has been added, so this needs no memory and cannot fail.
  void change(int descriptor, std::uint32_t events, Listener& listener);
  // Events that were fetched for the listener and not yet reported are dropped. Closing the descriptor takes the descriptor out.
  void forget(const Listener& listener);

 private:
  void wake();
  void clear_wake();
  void run_due();
  int wait_ms() const;
  void wait_and_tell();
  void take_turns();

  static constexpr std::size_t kEventsAtOnce = 128;
  static constexpr std::size_t kTurnsAtOnce = 4;

  int epoll_;
  int wake_;                         // an eventfd
  std::atomic<bool> asleep_{false};  // a thread that brings work has to wake the loop
  bool stopped_ = false;
  Mailbox mailbox_;
  std::multimap<Clock::time_point, std::function<void()>> due_;  // a few entries
  std::list<Turn*> turns_;
  std::array<epoll_event, kEventsAtOnce> events_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

}  // namespace cloister::net
