#include "net/watch.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <utility>

namespace cloister::net {

Watch::Watch(EventLoop& loop, int descriptor, Owner& owner)
    : loop_(loop), owner_(owner), descriptor_(descriptor), armed_(EPOLLIN) {
  loop_.add(descriptor_, armed_, *this);
}

void Watch::want_read() {
  if (descriptor_ < 0 || std::exchange(read_wanted_, true)) return;
  if ((armed_ & EPOLLIN) == 0) arm(armed_ | EPOLLIN);
}

void Watch::want_write() {
  if (descriptor_ < 0 || std::exchange(write_wanted_, true)) return;
  if ((armed_ & EPOLLOUT) == 0) arm(armed_ | EPOLLOUT);
}

void Watch::arm(std::uint32_t events) {
  armed_ = events;
  // Errors and hang-ups come without being asked for: edge-triggered, they come once when nothing is wanted.
  loop_.change(descriptor_, armed_ != 0 ? armed_ : static_cast<std::uint32_t>(EPOLLET), *this);
}

void Watch::on_events(std::uint32_t events) {
  const bool ended = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const bool readable = (ended || (events & EPOLLIN) != 0) && std::exchange(read_wanted_, false);
  const bool writable = (ended || (events & EPOLLOUT) != 0) && std::exchange(write_wanted_, false);
  if (!readable && !writable) {
    const std::uint32_t wanted = (read_wanted_ ? EPOLLIN : 0u) | (write_wanted_ ? EPOLLOUT : 0u);
    if (wanted != armed_) arm(wanted);
    return;
  }
  owner_.on_ready(readable, writable);  // nothing of this object may be touched after it
}

void Watch::close() {
  if (descriptor_ < 0) return;
  loop_.forget(*this);
  ::close(std::exchange(descriptor_, -1));  // which takes it out of the set
}

}  // namespace cloister::net
