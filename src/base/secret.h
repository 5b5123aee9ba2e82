// SecretBytes: key material, in pages of its own that are neither swapped nor dumped. Wiped on destruction, not copyable,
// cannot be streamed or formatted.
#pragma once

#include <algorithm>

#include "base/bytes.h"
#include "base/locked_pages.h"

namespace cloister {

class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(ByteView bytes) : pages_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), pages_.bytes().begin());
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&&) noexcept = default;
  SecretBytes& operator=(SecretBytes&&) noexcept = default;

  // The one way to the bytes: greppable.
  ByteView expose() const { return pages_.bytes(); }
  SecretBytes clone() const { return SecretBytes(expose()); }
  bool empty() const { return pages_.bytes().empty(); }
  std::size_t size() const { return pages_.bytes().size(); }
  // False where the system let no more memory be locked.
  bool locked() const { return pages_.locked(); }

 private:
  LockedPages pages_;
};

}  // namespace cloister
