#include "http/waiting_connections.h"

namespace cloister::http {

WaitingConnections::Group& WaitingConnections::join(const std::string& address) {
  Group& group = groups_[address];
  ++group.members_;
  return group;
}

void WaitingConnections::leave(const std::string& address) {
  const auto found = groups_.find(address);
  if (found != groups_.end() && --found->second.members_ == 0) groups_.erase(found);
}

bool WaitingConnections::close_oldest(const std::string& address) {
  const auto found = groups_.find(address);
  if (found == groups_.end() || found->second.waiting_.empty()) return false;
  found->second.waiting_.front().give_up_place();
  return true;
}

}  // namespace cloister::http
