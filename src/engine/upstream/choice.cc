#include "engine/upstream/choice.h"

#include <algorithm>
#include <atomic>

namespace cloister::engine::upstream {
namespace {

// The search begins at another server each time, so that idle servers take turns.
std::atomic<std::size_t> turn{0};

bool same_models(const Findings& a, const Findings& b) {
  return std::equal(a.models.begin(), a.models.end(), b.models.begin(), b.models.end(),
                    [](const ModelInfo& x, const ModelInfo& y) { return x.id == y.id; });
}

}  // namespace

Choice::Choice(const Servers& servers, const std::string& model) : servers_(servers) {
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!model.empty() && servers[i]->serves(model)) candidates_ |= std::uint64_t{1} << i;
  }
  if (candidates_ == 0) {
    for (std::size_t i = 0; i < servers.size(); ++i) candidates_ |= std::uint64_t{1} << i;
  }
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!servers[i]->may_serve()) candidates_ &= ~(std::uint64_t{1} << i);
  }
}

std::shared_ptr<Server> Choice::next() {
  const std::size_t count = servers_.size();
  const std::size_t first = count > 1 ? turn.fetch_add(1, std::memory_order_relaxed) : 0;
  std::size_t best = count;
  for (std::size_t n = 0; n < count; ++n) {
    const std::size_t i = (first + n) % count;
    if (!left(i)) continue;
    if (best == count || (servers_[i]->is_up() && !servers_[best]->is_up()) ||
        (servers_[i]->is_up() == servers_[best]->is_up() && servers_[i]->active() < servers_[best]->active())) {
      best = i;
    }
  }
  if (best == count) return nullptr;
  candidates_ &= ~(std::uint64_t{1} << best);
  return servers_[best];
}

bool Choice::has_another() const {
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (left(i) && servers_[i]->is_up()) return true;
  }
  return false;
}

bool models_differ(const Servers& servers) {
  std::shared_ptr<const Findings> first;
  for (const auto& server : servers) {
    const auto findings = server->findings();
    if (findings == nullptr) continue;
    if (first != nullptr && !same_models(*first, *findings)) return true;
    first = findings;
  }
  return false;
}

}  // namespace cloister::engine::upstream
