#include "http/address_counts.h"

#include <boost/asio/ip/address.hpp>

namespace cloister::http {

std::string AddressCounts::key_of(const boost::asio::ip::tcp::endpoint& peer) {
  namespace ip = boost::asio::ip;
  const ip::address address = peer.address();
  if (address.is_v4()) return address.to_string();
  if (address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string();
  const auto bytes = address.to_v6().to_bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), 8);
}

std::size_t AddressCounts::enter(const std::string& key) {
  const std::lock_guard lock(mutex_);
  auto& [name, count] = *counts_.try_emplace(key, 0).first;
  by_count_.erase({count, &name});
  by_count_.emplace(++count, &name);
  return count;
}

void AddressCounts::leave(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(key);
  if (found == counts_.end()) return;
  by_count_.erase({found->second, &found->first});
  if (--found->second == 0) {
    counts_.erase(found);
  } else {
    by_count_.emplace(found->second, &found->first);
  }
}

std::vector<std::string> AddressCounts::holders_above(std::size_t count, std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (auto it = by_count_.rbegin(); it != by_count_.rend() && it->first > count && out.size() < most; ++it)
    out.push_back(*it->second);
  return out;
}

}  // namespace cloister::http
