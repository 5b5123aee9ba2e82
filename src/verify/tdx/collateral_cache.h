// Keeps collateral and PCK chains whose signatures have been verified, so that the next quote of the same platform is
// judged with less work. Changes no verdict: only what holds at any time is kept, and only for the very same bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "verify/tdx/judged_collateral.h"

namespace cloister::verify {

struct VerifiedPckChain {
  std::string pem;
  std::vector<crypto::Certificate> certificates;  // leaf, intermediate, root
  crypto::VerifiedLinks links;                    // all of the chain's among them
};

// For any number of threads. The least recently used collateral makes room for another.
class TdxCollateralCache {
 public:
  explicit TdxCollateralCache(std::size_t capacity = 64) : capacity_(capacity) {}
  TdxCollateralCache(const TdxCollateralCache&) = delete;
  TdxCollateralCache& operator=(const TdxCollateralCache&) = delete;

  // Judged under the pinned root of Intel, now or before.
  std::shared_ptr<const JudgedTdxCollateral> judge(const TdxCollateral& collateral);
  // Number of collateral sets kept.
  std::size_t size() const;

  // The chain with this text, null when it has not been verified yet.
  std::shared_ptr<const VerifiedPckChain> find_pck_chain(std::string_view pem);
  void remember(VerifiedPckChain chain);

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const VerifiedPckChain>> chains_;       // most recently used first
  std::vector<std::shared_ptr<const JudgedTdxCollateral>> judged_;  // most recently used first
};

}  // namespace cloister::verify
