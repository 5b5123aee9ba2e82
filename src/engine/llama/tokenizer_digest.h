// The digest of what a GGUF header says about its tokenizer. Private to this folder.
#pragma once

#include "base/bytes.h"

struct gguf_context;

namespace cloister::engine::llama {

// SHA-256 over the entries `tokenizer.*` except chat templates, in the order of their names, each encoded as GGUF
// encodes it (docs/spec/model-identity.md).
ByteArray<32> tokenizer_digest(const gguf_context& file);

}  // namespace cloister::engine::llama
