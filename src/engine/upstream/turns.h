// Turns: which requests are under way at the upstreams. There are so many places; what comes on top waits, and clients take turns, so that who
// asks for much waits behind its own requests and not before those of others. Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/fair_queue.h"

namespace cloister::engine::upstream {

// A request that waits for its turn. Both are called without a lock of Turns, from any thread, at most one of them and once.
class TurnTaker {
 public:
  virtual ~TurnTaker() = default;
  // It has a place now, until leave(). False when it wants none any more: then it has none.
  virtual bool on_turn() = 0;
  // Too many wait, and this one is given up.
  virtual void on_no_turn() = 0;
};

class Turns {
 public:
  // `places` is at least 1.
  Turns(std::size_t places, std::size_t most_waiting) : places_(places), waiting_(most_waiting) {}

  enum class Entry { kPlace, kWaits, kFull };
  // kWaits: on_turn() or on_no_turn() follows, unless forget() comes before. It may come before this returns.
  Entry enter(const std::shared_ptr<TurnTaker>& taker, const std::string& client);
  // The place is free.
  void leave(const std::string& client);
  // It waits no more. One of its calls may be on its way.
  void forget(const TurnTaker& taker);

  std::size_t under_way() const;
  std::size_t waiting() const;

 private:
  struct Waiting {
    std::shared_ptr<TurnTaker> taker;
    std::string client;
  };
  std::size_t share_of(const std::string& client) const;
  bool has_place_for(const std::string& client) const;
  void take(const std::string& client);
  void give_up(const std::string& client);

  const std::size_t places_;
  mutable std::mutex mutex_;
  std::size_t taken_ = 0;
  std::unordered_map<std::string, std::size_t> by_client_;  // places that each has; none of them 0
  FairQueue<Waiting> waiting_;
};

}  // namespace cloister::engine::upstream
