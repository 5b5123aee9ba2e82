// DocumentHistory: the documents that a node had since it started, by digest, so that whoever holds an older digest can
// read the document that it is the digest of. Bounded: the oldest are dropped. Any thread.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cloister::identity {

class DocumentHistory {
 public:
  // A document that is there already keeps its place.
  void add(const std::string& digest, const std::string& text);
  std::optional<std::string> find(std::string_view digest) const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::pair<std::string, std::string>> documents_;  // oldest first
};

}  // namespace cloister::identity
