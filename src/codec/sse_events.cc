#include "codec/sse_events.h"

#include <utility>

namespace cloister::codec {

SseEvents::Part SseEvents::next(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (std::exchange(ended_, false)) {
    const bool feed = bytes.starts_with('\n');
    if (feed) lines_.next(bytes);
    return {feed ? 1u : 0u, true};
  }
  std::size_t at = 0;
  while (at < bytes.size()) {
    const SseLines::Part part = lines_.next(bytes.substr(at));
    at += part.size;
    line_is_empty_ = line_is_empty_ && part.text == 0;
    if (!part.ends) continue;
    if (!std::exchange(line_is_empty_, true)) continue;
    ended_ = at == bytes.size() && bytes.back() == '\r';
    return {at, !ended_};
  }
  return {at, false};
}

bool SseEvents::finish() { return std::exchange(ended_, false); }

SplitEvents split_events(std::string_view bytes) {
  SplitEvents out;
  SseEvents events;
  std::size_t from = 0, at = 0;
  const auto take = [&] {
    out.events.push_back(bytes.substr(from, at - from));
    from = at;
  };
  while (at < bytes.size()) {
    const SseEvents::Part part = events.next(bytes.substr(at));
    at += part.size;
    if (part.ends) take();
  }
  if (events.finish()) take();
  out.rest = bytes.substr(from);
  return out;
}

}  // namespace cloister::codec
