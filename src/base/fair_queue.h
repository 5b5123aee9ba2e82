// FairQueue: work of many clients, taken in turn, so that a client that asks for much waits behind its own work and
// does not delay the work of others. Where all items cost the same, clients alternate; else the next item is of the
// client that was given the least so far (start-time fair queueing: P. Goyal, H. M. Vin, H. Cheng, SIGCOMM 1996).
// Bounded: when the queue is full, the newest item of the client with the most items is dropped. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace cloister {

template <typename Item>
class FairQueue {
 public:
  explicit FairQueue(std::size_t limit) : limit_(limit) {}

  // Returns what had to be dropped for `item`: another client's newest item, or `item` itself. `cost` has any unit and
  // is above 0.
  std::optional<Item> push(const std::string& client, Item item, double cost = 1) {
    auto lane = std::ranges::find(lanes_, client, &Lane::client);
    std::optional<Item> dropped;
    if (size_ == limit_) {
      const std::size_t own = lane == lanes_.end() ? 0 : lane->items.size();
      auto longest = std::ranges::max_element(lanes_, {}, [](const Lane& each) { return each.items.size(); });
      // An equal share is not taken away: the client that came first keeps it.
      if (longest == lanes_.end() || longest->items.size() <= own + 1) return item;
      dropped = std::move(longest->items.back().item);
      longest->items.pop_back();
      --size_;
    }
    if (lane == lanes_.end()) lane = add_lane(client);
    lane->items.push_back({std::move(item), cost});
    ++size_;
    return dropped;
  }

  // Returns the oldest item of the client whose turn it is.
  std::optional<Item> pop() {
    return pop_if([](const std::string&, Item&) { return true; });
  }

  // Like pop(), but passes over a client whose oldest item `may_go` holds back. That client keeps its turn and saves up nothing.
  template <typename MayGo>  // bool(const std::string& client, Item&)
  std::optional<Item> pop_if(MayGo may_go) {
    const auto lane =
        std::ranges::find_if(lanes_, [&](Lane& each) { return may_go(each.client, each.items.front().item); });
    if (lane == lanes_.end()) return std::nullopt;
    now_ = std::max(now_, lane->begin);
    for (auto passed = lanes_.begin(); passed != lane; ++passed) passed->begin = now_;
    std::optional<Item> item = std::move(lane->items.front().item);
    lane->begin = now_ + lane->items.front().cost;
    lane->items.pop_front();
    --size_;
    if (lane->items.empty()) {
      remove_lane(lane);
    } else {
      lanes_.splice(place_of(lane->begin), lanes_, lane);
    }
    return item;
  }

  // Drops all items for which `is_void` holds.
  template <typename IsVoid>  // bool(const Item&)
  void erase_if(IsVoid is_void) {
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
      size_ -= std::erase_if(lane->items, [&](const Entry& each) { return is_void(each.item); });
      lane = lane->items.empty() ? remove_lane(lane) : std::next(lane);
    }
  }

  std::size_t size() const { return size_; }
  // How many items of this client are waiting.
  std::size_t size_of(const std::string& client) const {
    const auto lane = std::ranges::find(lanes_, client, &Lane::client);
    return lane == lanes_.end() ? 0 : lane->items.size();
  }

 private:
  struct Entry {
    Item item;
    double cost = 1;
  };
  struct Lane {
    std::string client;
    double begin = 0;         // virtual time at which its next item begins, by what clients have been given
    std::deque<Entry> items;  // never empty
  };
  using Place = typename std::list<Lane>::iterator;

  // The place behind all lanes that begin as early.
  Place place_of(double begin) {
    return std::ranges::find_if(lanes_, [&](const Lane& each) { return each.begin > begin; });
  }
  Place add_lane(const std::string& client) {
    const auto before = ahead_.find(client);
    const double begin = before == ahead_.end() ? now_ : std::max(now_, before->second);
    if (before != ahead_.end()) ahead_.erase(before);
    return lanes_.insert(place_of(begin), Lane{client, begin, {}});
  }
  // A client that comes back at once does not count as new.
  Place remove_lane(Place lane) {
    if (ahead_.size() >= limit_) std::erase_if(ahead_, [&](const auto& each) { return each.second <= now_; });
    if (ahead_.size() >= limit_) ahead_.clear();
    if (lane->begin > now_) ahead_[lane->client] = lane->begin;
    return lanes_.erase(lane);
  }

  const std::size_t limit_;
  std::list<Lane> lanes_;                          // in the order of their turns; no more than there are items
  std::unordered_map<std::string, double> ahead_;  // clients without items here that have been given more than others
  double now_ = 0;                                 // virtual time at which the last taken item began
  std::size_t size_ = 0;
};

}  // namespace cloister
