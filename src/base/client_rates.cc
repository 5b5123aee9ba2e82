#include "base/client_rates.h"

#include <algorithm>
#include <cmath>

namespace cloister {

int ClientRates::take(const std::string& client, Time now) {
  if (per_second_ <= 0) return 0;
  auto found = buckets_.find(client);
  if (found == buckets_.end()) {
    if (buckets_.size() >= most_clients_) {
      buckets_.erase(order_.back().client);
      order_.pop_back();
    }
    order_.push_front({client, burst_, now});
    found = buckets_.emplace(client, order_.begin()).first;
  } else {
    order_.splice(order_.begin(), order_, found->second);
  }
  Bucket& bucket = *found->second;
  const double passed_s = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.tokens = std::min(burst_, bucket.tokens + passed_s * per_second_);
  bucket.filled = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  return std::max(1, static_cast<int>(std::ceil((1 - bucket.tokens) / per_second_)));
}

}  // namespace cloister
