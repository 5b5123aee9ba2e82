// Loop: one thread that waits for sockets and points in time, and what the rooms above keep on it: connections of a server, connections to
// other servers. Everything about a connection happens on its loop. A loop belongs to whoever makes it, and needs no server.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <typeinfo>
#include <utility>
#include <vector>

#include "net/event_loop.h"

namespace cloister::net {

// What lives on a loop beside its sockets. Loop thread only; destroyed with the loop.
class LoopGuest {
 public:
  virtual ~LoopGuest() = default;
  // Called once a second, for deadlines: one sweep over all costs less than a timer for each connection.
  virtual void on_tick() = 0;
  // The loop ends: closes everything now.
  virtual void on_end() = 0;
};

class Loop {
 public:
  Loop();
  // Stops the thread, if there is one.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // A loop runs once: on a thread of its own, or on the calling thread until end().
  void start_thread();
  void run_here();
  // Any thread but the loop's, once, after start_thread(): ends the loop and joins the thread.
  void stop();

  // Any thread while the loop runs: calls node.on_taken() on the loop, soon.
  void deliver(MailboxNode& node) { events_.deliver(node); }
  // Any thread while the loop runs: runs the job on the loop, soon.
  void run(std::function<void()> job) { events_.post(std::move(job)); }
  bool is_here() const { return thread_id_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

  // Loop thread only, like everything below; before the loop runs, any one thread. Tells every guest, then leaves the loop.
  void end();
  EventLoop& events() { return events_; }
  // Seconds that advance once a second; for deadlines.
  std::int64_t now_s() const { return now_s_; }
  // Shared by everything on the loop: between two events nobody holds a buffer.
  std::span<char> read_scratch() { return read_scratch_; }
  std::span<char> tls_scratch() { return tls_scratch_; }
  // Guests hear of the tick and of the end in the order in which they were added.
  void add(std::unique_ptr<LoopGuest> guest) { guests_.push_back(std::move(guest)); }
  // The guest of this type. Null where none was added; `Guest` must be the guest's own class.
  template <class Guest>
  Guest* find() const {
    for (const auto& guest : guests_) {
      LoopGuest& one = *guest;
      if (typeid(one) == typeid(Guest)) return static_cast<Guest*>(guest.get());
    }
    return nullptr;
  }

 private:
  void begin();
  void schedule_tick();
  void tick();

  EventLoop events_;
  std::int64_t now_s_;
  std::array<char, 64u << 10> read_scratch_;
  std::array<char, 16u << 10> tls_scratch_;
  std::vector<std::unique_ptr<LoopGuest>> guests_;  // destroyed before the sockets' loop
  std::atomic<std::thread::id> thread_id_{};        // of the thread that runs the loop
  std::thread thread_;
};

}  // namespace cloister::net
