// OutgoingPool: the outgoing connections of one loop, and those among them that wait for their next request. Loop thread
// only.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <memory>
#include <vector>

#include "http/outgoing_connection.h"

namespace cloister::http {

class OutgoingPool {
 public:
  explicit OutgoingPool(Loop& loop) : loop_(loop) {}

  std::shared_ptr<OutgoingCall> send(OutgoingRequest request, std::shared_ptr<OutgoingSink> sink);
  // Once a second.
  void tick();
  void close_all();

  // From a connection: it is free again; it has closed.
  void keep(std::shared_ptr<OutgoingConnection> connection);
  void remove(OutgoingConnection& connection, bool idle);

 private:
  // A load that has ended leaves no more than so many behind for each target.
  static constexpr std::size_t kMaxIdle = 1024;

  struct Idle {
    const OutgoingTarget* target;
    std::vector<std::shared_ptr<OutgoingConnection>> connections;   // the last one was used last
  };
  std::vector<std::shared_ptr<OutgoingConnection>>& idle_of(const OutgoingTarget* target);
  // Null when there is none.
  std::shared_ptr<OutgoingConnection> take_idle(const OutgoingTarget* target);
  std::shared_ptr<OutgoingConnection> connect(const std::shared_ptr<const OutgoingTarget>& target);

  Loop& loop_;
  boost::intrusive::list<OutgoingConnection, boost::intrusive::constant_time_size<false>> connections_;
  std::vector<Idle> idle_;   // as many as there are targets: a few
};

}  // namespace cloister::http
