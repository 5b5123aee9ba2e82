// HMAC-SHA-256 (RFC 2104) with a key that is prepared once. Any thread.
#pragma once

#include <initializer_list>
#include <memory>

#include "base/bytes.h"
#include "crypto/hash.h"

namespace cloister::crypto {

class HmacKey {
 public:
  explicit HmacKey(ByteView key);
  HmacKey(HmacKey&&) noexcept;
  HmacKey& operator=(HmacKey&&) noexcept;
  ~HmacKey();

  // The code of the concatenated parts. The caller ensures that no two lists of parts give the same bytes.
  Sha256Digest mac(std::initializer_list<ByteView> parts) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::crypto
