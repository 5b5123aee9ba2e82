// KnownOwners: the callers whose tokens are in a file. A question takes the same time however many there are.
//
// An Owner is a digest of a token under a secret key (store::StoreKeys::owner()), so nobody can choose tokens that share a
// bucket, and which bucket a token falls into tells nothing about the others.
#pragma once

#include <cstddef>
#include <cstring>
#include <unordered_set>

#include "base/bytes.h"
#include "base/owner.h"

namespace cloister::api {

struct EqualInConstantTime {
  bool operator()(const Owner& a, const Owner& b) const noexcept { return equal_constant_time(a, b); }
};

// `Equal` is another one in tests, which count comparisons. Not thread-safe while it is filled.
template <typename Equal>
class BasicKnownOwners {
 public:
  void add(const Owner& owner) { owners_.insert(owner); }
  bool contains(const Owner& owner) const { return owners_.contains(owner); }
  bool empty() const { return owners_.empty(); }
  auto begin() const { return owners_.begin(); }
  auto end() const { return owners_.end(); }

 private:
  struct FirstBytes {
    std::size_t operator()(const Owner& owner) const noexcept {
      std::size_t out = 0;
      std::memcpy(&out, owner.data(), sizeof(out));
      return out;
    }
  };
  std::unordered_set<Owner, FirstBytes, Equal> owners_;
};

using KnownOwners = BasicKnownOwners<EqualInConstantTime>;

}  // namespace cloister::api
