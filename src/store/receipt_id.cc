#include "store/receipt_id.h"

#include <chrono>

#include "base/encoding.h"
#include "crypto/hash.h"

namespace cloister::store {

std::string new_receipt_id(std::int64_t unix_ms) {
  ByteArray<16> id;
  const auto time = static_cast<std::uint64_t>(unix_ms);
  for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<std::uint8_t>(time >> (40 - 8 * i));
  crypto::fill_random_id(std::span(id).subspan(6));
  return "rcpt-" + to_hex(id);
}

std::string new_receipt_id() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return new_receipt_id(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace cloister::store
