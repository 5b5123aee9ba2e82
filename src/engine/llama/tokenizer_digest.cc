#include "engine/llama/tokenizer_digest.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hash.h"
#include "gguf.h"

namespace cloister::engine::llama {
namespace {

constexpr std::string_view kPrefix = "tokenizer.";
constexpr std::string_view kTemplates = "tokenizer.chat_template";

std::size_t size_of(gguf_type type) {
  switch (type) {
    case GGUF_TYPE_UINT8:
    case GGUF_TYPE_INT8:
    case GGUF_TYPE_BOOL: return 1;
    case GGUF_TYPE_UINT16:
    case GGUF_TYPE_INT16: return 2;
    case GGUF_TYPE_UINT32:
    case GGUF_TYPE_INT32:
    case GGUF_TYPE_FLOAT32: return 4;
    case GGUF_TYPE_UINT64:
    case GGUF_TYPE_INT64:
    case GGUF_TYPE_FLOAT64: return 8;
    default: return 0;
  }
}

// GGUF is little-endian, and so are the machines that this engine is built for: values are hashed as they lie in memory.
class EntryHasher {
 public:
  void number(std::uint64_t value) { raw(&value, sizeof value); }
  void type(gguf_type value) {
    const auto code = static_cast<std::uint32_t>(value);
    raw(&code, sizeof code);
  }
  void text(std::string_view value) {
    number(value.size());
    hasher_.update(as_bytes(value));
  }
  void raw(const void* bytes, std::size_t size) { hasher_.update({static_cast<const std::uint8_t*>(bytes), size}); }
  ByteArray<32> finish() { return hasher_.finish(); }

 private:
  crypto::Sha256 hasher_;
};

void add_entry(EntryHasher& hasher, const gguf_context& file, std::int64_t at) {
  hasher.text(gguf_get_key(&file, at));
  const gguf_type type = gguf_get_kv_type(&file, at);
  hasher.type(type);
  if (type == GGUF_TYPE_STRING) return hasher.text(gguf_get_val_str(&file, at));
  if (type != GGUF_TYPE_ARRAY) return hasher.raw(gguf_get_val_data(&file, at), size_of(type));
  const gguf_type element = gguf_get_arr_type(&file, at);
  const std::size_t count = gguf_get_arr_n(&file, at);
  hasher.type(element);
  hasher.number(count);
  if (element == GGUF_TYPE_STRING) {
    for (std::size_t i = 0; i < count; ++i) hasher.text(gguf_get_arr_str(&file, at, i));
  } else if (count > 0) {
    hasher.raw(gguf_get_arr_data(&file, at), count * size_of(element));
  }
}

}  // namespace

ByteArray<32> tokenizer_digest(const gguf_context& file) {
  std::vector<std::pair<std::string_view, std::int64_t>> entries;
  for (std::int64_t at = 0; at < gguf_get_n_kv(&file); ++at) {
    const std::string_view name = gguf_get_key(&file, at);
    if (name.starts_with(kPrefix) && !name.starts_with(kTemplates)) entries.emplace_back(name, at);
  }
  std::sort(entries.begin(), entries.end());
  EntryHasher hasher;
  for (const auto& [name, at] : entries) add_entry(hasher, file, at);
  return hasher.finish();
}

}  // namespace cloister::engine::llama
