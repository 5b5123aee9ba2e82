#include "codec/utf8.h"

#include <simdjson.h>

namespace cloister::codec {

bool is_utf8(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  return text.empty() || simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace cloister::codec
