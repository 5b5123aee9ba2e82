// Keeps collateral whose signatures have been verified, so that the next quote of the same platform is judged with less
// work. Changes no verdict: only what holds at any time is kept, and only for the very same bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "verify/tdx/judged_collateral.h"

namespace cloister::verify {

// For any number of threads. The least recently used collateral makes room for another.
class TdxCollateralCache {
 public:
  explicit TdxCollateralCache(std::size_t capacity = 64) : capacity_(capacity) {}
  TdxCollateralCache(const TdxCollateralCache&) = delete;
  TdxCollateralCache& operator=(const TdxCollateralCache&) = delete;

  // Judged under the pinned root of Intel, now or before.
  std::shared_ptr<const JudgedTdxCollateral> judge(const TdxCollateral& collateral);
  std::size_t size() const;

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const JudgedTdxCollateral>> judged_;  // most recently used first
};

}  // namespace cloister::verify
