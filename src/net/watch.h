// Watch: one socket in an EventLoop, and the owner that hears when it can be read or written. Loop thread only.
//
// Level-triggered, and left armed: a connection that continues to read after every event costs no kernel call for
// waiting. What nobody waits for any more is disarmed by the first event that finds it so.
#pragma once

#include <cstdint>

#include "net/event_loop.h"

namespace cloister::net {

class Watch final : private EventLoop::Listener {
 public:
  class Owner {
   public:
    // What was wanted can be tried: it will succeed or fail. May end the Watch.
    virtual void on_ready(bool readable, bool writable) = 0;

   protected:
    ~Owner() = default;
  };

  // Takes ownership of the non-blocking descriptor. Throws std::system_error, and leaves the descriptor open, when the
  // kernel has no room to watch one more.
  Watch(EventLoop& loop, int descriptor, Owner& owner);
  ~Watch() { close(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  int descriptor() const { return descriptor_; }
  // Each is valid until it was reported once.
  void want_read();
  void want_write();
  // Closes the descriptor; nothing more is reported. A second call does nothing.
  void close();

 private:
  void on_events(std::uint32_t events) override;
  void arm(std::uint32_t events);

  EventLoop& loop_;
  Owner& owner_;
  int descriptor_;
  std::uint32_t armed_;
  bool read_wanted_ = false;
  bool write_wanted_ = false;
};

}  // namespace cloister::net
