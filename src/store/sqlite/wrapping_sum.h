// The sum of two numbers from a file, which may have any value.
#pragma once

#include <cstdint>

namespace cloister::store {

// Wraps around where the sum does not fit, so that a hostile file causes no undefined behaviour.
inline std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace cloister::store
