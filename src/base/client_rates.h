// ClientRates: limits how often each client may ask, by a token bucket for each client in a table of bounded size. Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>

namespace cloister {

class ClientRates {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `per_minute` 0: no limit. A client that has not asked for long may ask `burst` times at once. When more than
  // `most_clients` ask, the least recently seen client is forgotten.
  ClientRates(double per_minute, double burst, std::size_t most_clients)
      : per_second_(per_minute / 60), burst_(burst), most_clients_(most_clients) {}

  // Returns 0 when the client may ask, and counts the call; else the seconds until it may, at least 1.
  int take(const std::string& client, Time now);
  std::size_t clients() const { return buckets_.size(); }

 private:
  struct Bucket {
    std::string client;
    double tokens = 0;
    Time filled;
  };
  const double per_second_, burst_;
  const std::size_t most_clients_;
  std::list<Bucket> order_;  // most recently seen first
  std::unordered_map<std::string, std::list<Bucket>::iterator> buckets_;
};

}  // namespace cloister
