#include "engine/upstream/turns.h"

#include <optional>
#include <utility>

namespace cloister::engine::upstream {

// As for the sequences of the embedded engine (engine/llama/dispatcher.h): one place stays free for whoever comes next, and a quarter while
// others are there. Callers of this machine without a token ("") are the operator, or cannot be told apart.
std::size_t Turns::share_of(const std::string& client) const {
  if (client.empty() || places_ < 4) return places_;
  const bool alone = by_client_.empty() || (by_client_.size() == 1 && by_client_.contains(client));
  return alone ? places_ - 1 : places_ - places_ / 4;
}

bool Turns::has_place_for(const std::string& client) const {
  const auto has = by_client_.find(client);
  return taken_ < places_ && (has == by_client_.end() || has->second < share_of(client));
}

void Turns::take(const std::string& client) {
  ++taken_;
  ++by_client_[client];
}

void Turns::give_up(const std::string& client) {
  --taken_;
  const auto has = by_client_.find(client);
  if (--has->second == 0) by_client_.erase(has);
}

// Whoever waits while there is a place has its whole share: a client of whom nobody waits passes by.
Turns::Entry Turns::enter(const std::shared_ptr<TurnTaker>& taker, const std::string& client) {
  std::optional<Waiting> dropped;
  {
    const std::lock_guard lock(mutex_);
    if (has_place_for(client) && waiting_.size_of(client) == 0) {
      take(client);
      return Entry::kPlace;
    }
    dropped = waiting_.push(client, {taker, client});
  }
  if (!dropped) return Entry::kWaits;
  if (dropped->taker == taker) return Entry::kFull;
  dropped->taker->on_no_turn();
  return Entry::kWaits;
}

void Turns::leave(const std::string& client) {
  std::unique_lock lock(mutex_);
  give_up(client);
  while (auto next = waiting_.pop_if([this](const std::string& name, Waiting&) { return has_place_for(name); })) {
    take(next->client);
    lock.unlock();
    const bool taken = next->taker->on_turn();
    lock.lock();
    if (!taken) give_up(next->client);
  }
}

void Turns::forget(const TurnTaker& taker) {
  const std::lock_guard lock(mutex_);
  waiting_.erase_if([&](const Waiting& each) { return each.taker.get() == &taker; });
}

std::size_t Turns::under_way() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

std::size_t Turns::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace cloister::engine::upstream
