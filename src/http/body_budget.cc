#include "http/body_budget.h"

namespace cloister::http {
namespace {

constexpr std::uint64_t kStep = 64u << 10;

}  // namespace

bool BodyBudget::Hold::grow(std::uint64_t bytes) {
  if (bytes <= kFreeBytes || bytes <= bytes_) return true;
  const std::uint64_t wanted = (bytes + kStep - 1) / kStep * kStep;
  if (!budget_->take(client_, wanted - bytes_)) return false;
  bytes_ = wanted;
  return true;
}

std::uint64_t BodyBudget::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

bool BodyBudget::take(const std::string& client, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = by_client_.find(client);
  const std::uint64_t own = found == by_client_.end() ? 0 : found->second;
  if (bytes_ + bytes > in_all_ || own + bytes > of_client_) return false;
  bytes_ += bytes;
  by_client_[client] = own + bytes;
  return true;
}

void BodyBudget::give_back(const std::string& client, std::uint64_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard lock(mutex_);
  bytes_ -= bytes;
  const auto found = by_client_.find(client);
  found->second -= bytes;
  if (found->second == 0) by_client_.erase(found);
}

}  // namespace cloister::http
