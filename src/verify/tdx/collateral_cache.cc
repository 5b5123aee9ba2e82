#include "verify/tdx/collateral_cache.h"

#include <algorithm>

#include "verify/roots.h"

namespace cloister::verify {

std::shared_ptr<const JudgedTdxCollateral> TdxCollateralCache::judge(const TdxCollateral& collateral) {
  const auto is_it = [&](const auto& judged) { return judged->source == collateral; };
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(judged_.begin(), judged_.end(), is_it);
    if (found != judged_.end()) {
      std::rotate(judged_.begin(), found, found + 1);
      return judged_.front();
    }
  }
  // Outside the lock: another thread may do the same work at the same time, which only costs time.
  auto fresh = std::make_shared<const JudgedTdxCollateral>(
      judge_collateral(collateral, *pinned_root(RootUse::kCpu, RootKind::kVendor)));
  const std::lock_guard lock(mutex_);
  if (std::none_of(judged_.begin(), judged_.end(), is_it)) {
    judged_.insert(judged_.begin(), fresh);
    if (judged_.size() > capacity_) judged_.pop_back();
  }
  return fresh;
}

std::shared_ptr<const VerifiedPckChain> TdxCollateralCache::find_pck_chain(std::string_view pem) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(chains_.begin(), chains_.end(), [&](const auto& chain) { return chain->pem == pem; });
  if (found == chains_.end()) return nullptr;
  std::rotate(chains_.begin(), found, found + 1);
  return chains_.front();
}

void TdxCollateralCache::remember(VerifiedPckChain chain) {
  auto fresh = std::make_shared<const VerifiedPckChain>(std::move(chain));
  const std::lock_guard lock(mutex_);
  if (std::any_of(chains_.begin(), chains_.end(), [&](const auto& other) { return other->pem == fresh->pem; })) return;
  chains_.insert(chains_.begin(), std::move(fresh));
  if (chains_.size() > capacity_) chains_.pop_back();
}

std::size_t TdxCollateralCache::size() const {
  const std::lock_guard lock(mutex_);
  return judged_.size();
}

}  // namespace cloister::verify
