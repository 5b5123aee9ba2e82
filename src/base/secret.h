// SecretBytes: key material, in pages of its own that are neither swapped nor dumped. It is wiped on destruction and
// can be neither copied, streamed nor formatted.
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

  // The only access to the bytes, so that uses are easy to grep.
  ByteView expose() const { return pages_.bytes(); }
  SecretBytes clone() const { return SecretBytes(expose()); }
  bool empty() const { return pages_.bytes().empty(); }
  std::size_t size() const { return pages_.bytes().size(); }
  // False where the system did not allow more memory to be locked.
  bool locked() const { return pages_.locked(); }

 private:
  LockedPages pages_;
};

}  // namespace cloister
