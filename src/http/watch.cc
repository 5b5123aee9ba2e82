#include "http/watch.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "http/event_loop.h"

namespace cloister::http {

Watch::Watch(EventLoop& loop, int descriptor, Owner& owner)
    : loop_(loop), owner_(owner), descriptor_(descriptor), armed_(EPOLLIN) {
  epoll_event event{};
  event.events = armed_;
  event.data.ptr = this;
  if (::epoll_ctl(loop_.descriptor(), EPOLL_CTL_ADD, descriptor_, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll");
  }
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
  epoll_event event{};
  // Errors and hang-ups come without being asked for: edge-triggered, they come once when nothing is wanted.
  event.events = armed_ != 0 ? armed_ : static_cast<std::uint32_t>(EPOLLET);
  event.data.ptr = this;
  // The descriptor is in the set, so this needs no memory and cannot fail.
  ::epoll_ctl(loop_.descriptor(), EPOLL_CTL_MOD, descriptor_, &event);
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

}  // namespace cloister::http
