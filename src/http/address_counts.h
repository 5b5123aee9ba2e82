// AddressCounts: counts open connections by the address that they come from: all of an IPv4 address, the first 64 bits
// of an IPv6 address, since one customer commonly has all addresses behind them.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cloister::http {

class AddressCounts {
 public:
  static std::string key_of(const boost::asio::ip::tcp::endpoint& peer);

  // Counts one more; returns how many there are, including this one.
  std::size_t enter(const std::string& key);
  void leave(const std::string& key);
  // The addresses that have more connections than `count`, those with the most first; so many at most.
  std::vector<std::string> holders_above(std::size_t count, std::size_t most);

 private:
  std::mutex mutex_;
  std::map<std::string, std::size_t> counts_;
  std::set<std::pair<std::size_t, const std::string*>> by_count_;  // the keys of counts_
};

}  // namespace cloister::http
