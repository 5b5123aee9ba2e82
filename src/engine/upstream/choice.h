// Choice: decides which upstream gets a request, and which one next when that fails. The least loaded comes first;
// servers that are down are used only when all are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/upstream/server.h"

namespace cloister::engine::upstream {

using Servers = std::vector<std::shared_ptr<Server>>;
inline constexpr std::size_t kMostServers = 64;

class Choice {
 public:
  // Chooses among the servers that list `model`, where any does; an alias that no server lists is left to the servers
  // themselves. A server that has to give known answers and has not given them is left out.
  Choice(const Servers& servers, const std::string& model);

  // The next server to try, each once; null when there is none left.
  std::shared_ptr<Server> next();
  bool is_empty() const { return candidates_ == 0; }
  // True when next() would return a server that is up.
  bool has_another() const;

 private:
  bool left(std::size_t i) const { return (candidates_ >> i & 1) != 0; }

  const Servers& servers_;
  std::uint64_t candidates_ = 0;  // bit i: servers_[i] has not been tried
};

// True when not all of the servers that are up serve the same models.
bool models_differ(const Servers& servers);

}  // namespace cloister::engine::upstream
