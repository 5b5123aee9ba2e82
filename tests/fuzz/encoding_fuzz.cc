// Hex, base64 and Ethereum addresses. Each accepted text is the only text of its value.
#include <algorithm>

#include "base/encoding.h"
#include "crypto/secp256k1.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const std::string_view text = as_text(input);
  FUZZ_CHECK(*from_hex(to_hex(input)) == to_bytes(input));
  FUZZ_CHECK(*from_base64(to_base64(input)) == to_bytes(input));
  if (const auto bytes = from_base64(text)) FUZZ_CHECK(to_base64(*bytes) == text);
  if (const auto bytes = from_hex(text)) {
    const std::string lower = to_hex(*bytes);
    const auto same_letter = [](char a, char b) { return a == std::tolower(b); };
    FUZZ_CHECK(std::equal(lower.begin(), lower.end(), text.begin(), text.end(), same_letter));
  }
  if (const auto address = crypto::parse_eth_address(text)) {
    FUZZ_CHECK(*crypto::parse_eth_address(crypto::eth_address_text(*address)) == *address);
  }
  if (input.size() >= 65) (void)crypto::recover_eip191(text.substr(65), input.first(65));
}
