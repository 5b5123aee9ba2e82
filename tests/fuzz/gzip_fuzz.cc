// Packed documents. Every text is unpacked within the bound or refused.
#include "codec/gzip.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  constexpr std::size_t kLimit = 1u << 16;
  const auto content = cloister::codec::unpack_gzip(input, kLimit);
  FUZZ_CHECK(!content || content->size() <= kLimit);
}
