#include "serve/signature_store.h"

namespace cloister::serve {

void SignatureStore::put(std::string id, Owner owner, const SignedReply& reply) {
  UnixSeconds now = clock_.now();
  std::lock_guard lock(mutex_);
  drop_expired(now);
  if (auto known = by_id_.find(id); known != by_id_.end()) {
    if (known->second->owner != owner) return;
    auto entry = known->second;
    by_id_.erase(known);
    by_age_.erase(entry);
  }
  while (by_age_.size() >= limits_.entries && !by_age_.empty()) {
    by_id_.erase(by_age_.front().id);
    by_age_.pop_front();
  }
  by_age_.push_back(Entry{std::move(id), owner, now + limits_.ttl_s, reply});
  by_id_.emplace(by_age_.back().id, std::prev(by_age_.end()));
}

std::optional<SignedReply> SignatureStore::find(std::string_view id, Owner owner) {
  UnixSeconds now = clock_.now();
  std::lock_guard lock(mutex_);
  drop_expired(now);
  auto it = by_id_.find(id);
  if (it == by_id_.end() || it->second->owner != owner) return std::nullopt;
  return it->second->reply;
}

std::size_t SignatureStore::size() const {
  std::lock_guard lock(mutex_);
  return by_age_.size();
}

void SignatureStore::drop_expired(UnixSeconds now) {
  while (!by_age_.empty() && by_age_.front().expires <= now) {
    by_id_.erase(by_age_.front().id);
    by_age_.pop_front();
  }
}

}  // namespace cloister::serve
