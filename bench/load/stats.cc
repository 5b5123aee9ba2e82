#include "load/stats.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cloister::bench {
namespace {

double rank(const std::vector<float>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double place = std::ceil(share * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::size_t>(std::max(place, 1.0)) - 1;
  return static_cast<double>(sorted[std::min(index, sorted.size() - 1)]);
}

double rounded(double us) { return std::round(us * 10) / 10; }

std::vector<float> sorted_copy(std::vector<float> values) {
  std::ranges::sort(values);
  return values;
}

}  // namespace

double Series::percentile(double share) const { return rank(sorted_copy(values_us_), share); }

Json Series::summary() const {
  const auto sorted = sorted_copy(values_us_);
  const double sum = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  Json out;
  out["count"] = sorted.size();
  out["mean"] = sorted.empty() ? 0 : rounded(sum / static_cast<double>(sorted.size()));
  out["p50"] = rounded(rank(sorted, 0.50));
  out["p90"] = rounded(rank(sorted, 0.90));
  out["p99"] = rounded(rank(sorted, 0.99));
  out["max"] = sorted.empty() ? 0 : rounded(static_cast<double>(sorted.back()));
  return out;
}

}  // namespace cloister::bench
