// FairQueue: work of many clients, taken in turn, so that who asks for much waits behind its own work and not before that
// of others. Where all items cost the same, that is one of each client that has any; else the next is of the client that has
// been given the least (start-time fair queueing: P. Goyal, H. M. Vin, H. Cheng, SIGCOMM 1996). Bounded: when it is full, the
// newest work of the client with the most is given up. Not thread-safe.
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

  // Returns what had to be given up for it: another client's newest item, or `item` itself.
  // `cost`: of any unit, above 0.
  std::optional<Item> push(const std::string& client, Item item, double cost = 1) {
    auto lane = std::ranges::find(lanes_, client, &Lane::client);
    std::optional<Item> dropped;
    if (size_ == limit_) {
      const std::size_t own = lane == lanes_.end() ? 0 : lane->items.size();
      auto longest = std::ranges::max_element(lanes_, {}, [](const Lane& each) { return each.items.size(); });
      // An equal share is nobody's to take: whoever came first keeps it.
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

  // The oldest item of the client whose turn it is.
  std::optional<Item> pop() {
    return pop_if([](const std::string&, Item&) { return true; });
  }

  // As pop(), but a client whose oldest item `may_go` holds back is passed over, and keeps its turn; it saves up nothing.
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

  // Gives up all items for which `is_void` holds.
  template <typename IsVoid>  // bool(const Item&)
  void erase_if(IsVoid is_void) {
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
      size_ -= std::erase_if(lane->items, [&](const Entry& each) { return is_void(each.item); });
      lane = lane->items.empty() ? remove_lane(lane) : std::next(lane);
    }
  }

  std::size_t size() const { return size_; }
  // How many items of this client wait.
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
    double begin = 0;         // when its next item begins, by what clients have been given
    std::deque<Entry> items;  // never empty
  };
  using Place = typename std::list<Lane>::iterator;

  // Behind all that begin as early.
  Place place_of(double begin) { return std::ranges::find_if(lanes_, [&](const Lane& each) { return each.begin > begin; }); }
  Place add_lane(const std::string& client) {
    const auto before = ahead_.find(client);
    const double begin = before == ahead_.end() ? now_ : std::max(now_, before->second);
    if (before != ahead_.end()) ahead_.erase(before);
    return lanes_.insert(place_of(begin), Lane{client, begin, {}});
  }
  // A client that comes back at once is not new.
  Place remove_lane(Place lane) {
    if (ahead_.size() >= limit_) std::erase_if(ahead_, [&](const auto& each) { return each.second <= now_; });
    if (ahead_.size() >= limit_) ahead_.clear();
    if (lane->begin > now_) ahead_[lane->client] = lane->begin;
    return lanes_.erase(lane);
  }

  const std::size_t limit_;
  std::list<Lane> lanes_;  // in the order of their turns; no more than there are items
  std::unordered_map<std::string, double> ahead_;  // clients with nothing here that have been given more than others
  double now_ = 0;         // when the last item that was taken began
  std::size_t size_ = 0;
};

}  // namespace cloister
