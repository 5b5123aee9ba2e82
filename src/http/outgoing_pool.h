// OutgoingPool: the outgoing connections of one loop, and those among them that wait for their next request. Loop
// thread only.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <memory>
#include <vector>

#include "http/outgoing_connection.h"
#include "net/loop.h"

namespace cloister::http {

class OutgoingPool final : public net::LoopGuest, private OutgoingKeeper {
 public:
  explicit OutgoingPool(net::Loop& loop) : loop_(loop) {}

  std::shared_ptr<OutgoingCall> send(OutgoingRequest request, std::shared_ptr<OutgoingSink> sink);
  void on_tick() override;
  void on_end() override;

 private:
  void keep(std::shared_ptr<OutgoingConnection> connection) override;
  void remove(OutgoingConnection& connection, bool idle) override;

  // A load that has ended leaves at most this many behind for each target.
  static constexpr std::size_t kMaxIdle = 1024;

  struct Idle {
    const OutgoingTarget* target;
    std::vector<std::shared_ptr<OutgoingConnection>> connections;  // the most recently used is last
  };
  std::vector<std::shared_ptr<OutgoingConnection>>& idle_of(const OutgoingTarget* target);
  // Returns null when there is none.
  std::shared_ptr<OutgoingConnection> take_idle(const OutgoingTarget* target);
  // Returns null when there is no memory.
  std::shared_ptr<OutgoingConnection> make(const std::shared_ptr<const OutgoingTarget>& target);

  net::Loop& loop_;
  boost::intrusive::list<OutgoingConnection, boost::intrusive::constant_time_size<false>> connections_;
  std::vector<Idle> idle_;  // one for each target: a few
};

}  // namespace cloister::http
