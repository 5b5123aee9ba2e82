#include "engine/llama/prompt_owners.h"

#include "server-common.h"

// The scheduler's own functions, and the functions that it calls in their place.
std::size_t real_common_prefix(const server_tokens* self, const server_tokens& other) __asm__(
    "__real__ZNK13server_tokens17get_common_prefixERKS_");
std::size_t owned_common_prefix(const server_tokens* self, const server_tokens& other) __asm__(
    "__wrap__ZNK13server_tokens17get_common_prefixERKS_");
void real_keep_first(server_tokens* self, std::size_t count) __asm__("__real__ZN13server_tokens10keep_firstEm");
void owned_keep_first(server_tokens* self, std::size_t count) __asm__("__wrap__ZN13server_tokens10keep_firstEm");

using cloister::engine::llama::PromptOwners;

std::size_t owned_common_prefix(const server_tokens* self, const server_tokens& other) {
  const std::size_t same = real_common_prefix(self, other);
  return PromptOwners::instance().on_compared(self, other.get_tokens().data(), same);
}

void owned_keep_first(server_tokens* self, std::size_t count) {
  real_keep_first(self, count);
  PromptOwners::instance().on_taken(self);
}

namespace cloister::engine::llama {

PromptOwners& PromptOwners::instance() {
  static PromptOwners owners;
  return owners;
}

void PromptOwners::isolate() {
  const std::lock_guard lock(mutex_);
  isolated_ = true;
}

PromptOwners::Claim::Claim(const void* tokens, const Tenant& tenant, bool shared) : tokens_(tokens) {
  PromptOwners& owners = instance();
  const std::lock_guard lock(owners.mutex_);
  number_ = ++owners.claims_made_;
  owners.claims_[tokens] = Claimed{tenant, shared, number_};
}

PromptOwners::Claim::~Claim() {
  PromptOwners& owners = instance();
  const std::lock_guard lock(owners.mutex_);
  // The address may belong to a newer prompt by now.
  const auto found = owners.claims_.find(tokens_);
  if (found != owners.claims_.end() && found->second.number == number_) owners.claims_.erase(found);
}

std::size_t PromptOwners::on_compared(const server_tokens* sequence, const void* tokens, std::size_t same) {
  const std::lock_guard lock(mutex_);
  if (!isolated_) return same;
  const auto claim = claims_.find(tokens);
  compared_ = claim != claims_.end() ? sequence : nullptr;
  if (claim == claims_.end()) return 0;
  by_ = claim->second;
  const auto owner = owners_.find(sequence);
  return owner != owners_.end() && owner->second == by_.tenant ? same : 0;
}

void PromptOwners::on_taken(const server_tokens* sequence) {
  const std::lock_guard lock(mutex_);
  if (!isolated_) return;
  // It is unknown here which sequences will get a copy: no sequence belongs to anybody until it is taken over again.
  if (by_.shared) owners_.clear();
  if (compared_ == sequence) {
    owners_[sequence] = by_.tenant;
  } else {
    owners_.erase(sequence);
  }
  compared_ = nullptr;
}

}  // namespace cloister::engine::llama
