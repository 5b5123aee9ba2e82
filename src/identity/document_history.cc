#include "identity/document_history.h"

#include <algorithm>

namespace cloister::identity {
namespace {

constexpr std::size_t kMost = 64;

}  // namespace

void DocumentHistory::add(const std::string& digest, const std::string& text) {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, unused] : documents_) {
    if (known == digest) return;
  }
  documents_.emplace_back(digest, text);
  if (documents_.size() > kMost) documents_.pop_front();
}

std::optional<std::string> DocumentHistory::find(std::string_view digest) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, text] : documents_) {
    if (known == digest) return text;
  }
  return std::nullopt;
}

}  // namespace cloister::identity
