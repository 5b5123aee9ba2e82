// Names the key provider that hands the application its keys, as the event log says (dstack, event `key-provider`).
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "verify/boot/log.h"

namespace cloister::verify {

struct KeyProvider {
  std::string name;  // "kms", "local-sgx", "none", ...
  Bytes id;          // of the KMS its root key, of an enclave its measurement
  std::string text() const;  // "kms:<hex>", as policies name it
};

// The payload of the event `key-provider`: {"name","id"}, the id in hex.
Result<KeyProvider> parse_key_provider(ByteView payload);
// That of an authentic log; absent when the event is missing or cannot be read.
std::optional<KeyProvider> key_provider_of(const BootLog& log);

}  // namespace cloister::verify
