// Keeps collateral and PCK chains whose signatures have been verified, so that the next quote of the same platform
// needs less work. It changes no verdict: only what holds at any time is kept, and only for the very same bytes.
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
  crypto::VerifiedLinks links;                    // includes all links of the chain
};

// For any number of threads. The least recently used collateral is dropped for new collateral.
class TdxCollateralCache {
 public:
  explicit TdxCollateralCache(std::size_t capacity = 64) : capacity_(capacity) {}
  TdxCollateralCache(const TdxCollateralCache&) = delete;
  TdxCollateralCache& operator=(const TdxCollateralCache&) = delete;

  // Verifies the collateral under Intel's pinned root, now or in an earlier call.
  std::shared_ptr<const JudgedTdxCollateral> judge(const TdxCollateral& collateral);
  // Number of collateral sets kept.
  std::size_t size() const;

  // The chain with this text, null when it has not been verified yet.
  std::shared_ptr<const VerifiedPckChain> find_pck_chain(std::string_view pem);
  void remember(VerifiedPckChain chain);

 private:
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const VerifiedPckChain>> chains_;     // most recently used first
  std::vector<std::shared_ptr<const JudgedTdxCollateral>> judged_;  // most recently used first
};

}  // namespace cloister::verify
