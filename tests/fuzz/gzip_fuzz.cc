// Packed documents: every text is unpacked or refused within the bound.
#include "codec/gzip.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  constexpr std::size_t kLimit = 1u << 16;
  const auto content = cloister::codec::unpack_gzip(input, kLimit);
  FUZZ_CHECK(!content || content->size() <= kLimit);
}
