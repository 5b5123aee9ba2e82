// Parses server-sent events: bytes in any pieces to events (WHATWG HTML, section 9.2.6). Bounded.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/sse_lines.h"

namespace cloister::codec {

class SseParser {
 public:
  // `on_data` gets the data field of each event, with its lines joined by '\n'.
  explicit SseParser(std::function<void(std::string_view)> on_data, std::size_t event_limit_bytes = 4u << 20)
      : on_data_(std::move(on_data)), event_limit_bytes_(event_limit_bytes) {}

  // Fails when one event is larger than the limit; the parser must not be used after that.
  Result<void> feed(std::string_view bytes);

 private:
  void take_line(std::string_view line);

  std::function<void(std::string_view)> on_data_;
  const std::size_t event_limit_bytes_;
  SseLines lines_;
  std::string line_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace cloister::codec
