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
  return ++counts_[key];
}

void AddressCounts::leave(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(key);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace cloister::http
