#include "codec/sse_events.h"

namespace cloister::codec {

SseEvents::Part SseEvents::next(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t feed = bytes.find('\n', at);
    const std::string_view line = bytes.substr(at, feed == std::string_view::npos ? feed : feed - at);
    // Of a line in pieces: empty so far, or one carriage return and nothing after it.
    if (!line.empty()) {
      line_is_empty_ = line_is_empty_ && !after_return_ && line == "\r";
      after_return_ = line_is_empty_;
    }
    if (feed == std::string_view::npos) return {bytes.size(), false};
    const bool ends = line_is_empty_;
    line_is_empty_ = true;
    after_return_ = false;
    at = feed + 1;
    if (ends) return {at, true};
  }
  return {at, false};
}

}  // namespace cloister::codec
