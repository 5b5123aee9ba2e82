#include "store/receipt_id.h"

#include <algorithm>
#include <chrono>

#include "base/encoding.h"
#include "crypto/hash.h"

namespace cloister::store {
namespace {

constexpr std::string_view kPrefix = "rcpt-";
constexpr std::size_t kDigits = 32;

bool is_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string new_receipt_id(std::int64_t unix_ms) {
  ByteArray<16> id;
  const auto time = static_cast<std::uint64_t>(unix_ms);
  for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<std::uint8_t>(time >> (40 - 8 * i));
  crypto::fill_random_id(std::span(id).subspan(6));
  return std::string(kPrefix) + to_hex(id);
}

std::string new_receipt_id() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return new_receipt_id(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::string reply_id_of(std::string_view receipt_id, std::string_view prefix) {
  return std::string(prefix).append(receipt_id.substr(std::min(receipt_id.size(), kPrefix.size())));
}

std::optional<std::string> receipt_id_in(std::string_view reply_id) {
  if (reply_id.size() < kDigits) return std::nullopt;
  const std::string_view digits = reply_id.substr(reply_id.size() - kDigits);
  if (!std::ranges::all_of(digits, is_digit)) return std::nullopt;
  return std::string(kPrefix).append(digits);
}

std::string shown_id(std::string_view id) {
  const std::size_t hidden = receipt_id_in(id) ? kDigits / 2 : id.size() - id.size() / 2;
  return std::string(id.substr(0, id.size() - hidden)).append("...");
}

}  // namespace cloister::store
