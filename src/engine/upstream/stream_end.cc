#include "engine/upstream/stream_end.h"

#include <algorithm>

#include "codec/sse_lines.h"

namespace cloister::engine::upstream {
namespace {

// The last event of either dialect is shorter than this.
constexpr std::size_t kEndBytes = 96;

}  // namespace

void StreamEnd::begin(bool events, bool framed) {
  events_ = events;
  framed_ = framed;
  if (events_) tail_.reserve(2 * kTailBytes);
}

void StreamEnd::feed(std::string_view bytes) {
  if (!events_) return;
  if (bytes.size() >= kTailBytes) {
    tail_.assign(bytes.substr(bytes.size() - kTailBytes));
    return;
  }
  if (tail_.size() + bytes.size() > 2 * kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  tail_.append(bytes);
}

bool StreamEnd::whole() const {
  // A body of another kind that ends with the connection may have been cut anywhere.
  if (!events_) return framed_;
  const bool blank_line = tail_.empty() || codec::ends_with_empty_line(tail_);
  if (framed_ || !blank_line) return blank_line;
  const std::string_view end = std::string_view(tail_).substr(tail_.size() - std::min(tail_.size(), kEndBytes));
  return end.find("data: [DONE]") != std::string_view::npos || end.find("data:[DONE]") != std::string_view::npos ||
         end.find("message_stop") != std::string_view::npos;
}

}  // namespace cloister::engine::upstream
