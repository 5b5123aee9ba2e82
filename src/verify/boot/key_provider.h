// Names the key provider that hands the application its keys, as the event log says (dstack, event `key-provider`).
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "verify/boot/log.h"

namespace cloister::verify {

struct KeyProvider {
  std::string name;          // "kms", "local-sgx", "none", ...
  Bytes id;                  // a KMS's root key, or an enclave's measurement
  std::string text() const;  // "kms:<hex>", as policies name it
};

// Parses the payload of the event `key-provider`: {"name","id"}, the id in hex.
Result<KeyProvider> parse_key_provider(ByteView payload);
// The key provider of an authentic log; absent when the event is missing or cannot be read.
std::optional<KeyProvider> key_provider_of(const BootLog& log);

}  // namespace cloister::verify
