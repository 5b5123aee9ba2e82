// FairQueue: work of many clients, taken in turn: one of each that has any, so that who asks for much waits behind its
// own work and not before that of others. Bounded: when it is full, the newest work of the client with the most is
// given up. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <list>
#include <optional>
#include <string>
#include <utility>

namespace cloister {

template <typename Item>
class FairQueue {
 public:
  explicit FairQueue(std::size_t limit) : limit_(limit) {}

  // Returns what had to be given up for it: another client's newest item, or `item` itself.
  std::optional<Item> push(const std::string& client, Item item) {
    auto lane = std::ranges::find(lanes_, client, &Lane::client);
    std::optional<Item> dropped;
    if (size_ == limit_) {
      const std::size_t own = lane == lanes_.end() ? 0 : lane->items.size();
      auto longest = std::ranges::max_element(lanes_, {}, [](const Lane& each) { return each.items.size(); });
      // An equal share is nobody's to take: whoever came first keeps it.
      if (longest == lanes_.end() || longest->items.size() <= own + 1) return item;
      dropped = std::move(longest->items.back());
      longest->items.pop_back();
      --size_;
    }
    if (lane == lanes_.end()) lane = lanes_.insert(lanes_.end(), Lane{client, {}});
    lane->items.push_back(std::move(item));
    ++size_;
    return dropped;
  }

  // The oldest item of the client whose turn it is.
  std::optional<Item> pop() {
    return pop_if([](const std::string&, Item&) { return true; });
  }

  // As pop(), but a client whose oldest item `may_go` holds back is passed over, and keeps its turn.
  template <typename MayGo>  // bool(const std::string& client, Item&)
  std::optional<Item> pop_if(MayGo may_go) {
    const auto lane = std::ranges::find_if(lanes_, [&](Lane& each) { return may_go(each.client, each.items.front()); });
    if (lane == lanes_.end()) return std::nullopt;
    std::optional<Item> item = std::move(lane->items.front());
    lane->items.pop_front();
    --size_;
    if (lane->items.empty()) {
      lanes_.erase(lane);
    } else {
      lanes_.splice(lanes_.end(), lanes_, lane);
    }
    return item;
  }

  // Gives up all items for which `is_void` holds.
  template <typename IsVoid>  // bool(const Item&)
  void erase_if(IsVoid is_void) {
    for (auto lane = lanes_.begin(); lane != lanes_.end();) {
      size_ -= std::erase_if(lane->items, is_void);
      lane = lane->items.empty() ? lanes_.erase(lane) : std::next(lane);
    }
  }

  std::size_t size() const { return size_; }
  // How many items of this client wait.
  std::size_t size_of(const std::string& client) const {
    const auto lane = std::ranges::find(lanes_, client, &Lane::client);
    return lane == lanes_.end() ? 0 : lane->items.size();
  }

 private:
  struct Lane {
    std::string client;
    std::deque<Item> items;  // never empty
  };
  const std::size_t limit_;
  std::list<Lane> lanes_;  // in the order of their turns; no more than there are items
  std::size_t size_ = 0;
};

}  // namespace cloister
