#include "codec/sse_lines.h"

#include <algorithm>

namespace cloister::codec {
namespace {

// Both characters are searched in short windows: the time is linear in the bytes, whichever of the two a stream lacks.
constexpr std::size_t kWindow = 256;

std::size_t find_end(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += kWindow) {
    const std::string_view window = bytes.substr(at, kWindow);
    const std::size_t feed = window.find('\n');
    const std::size_t found = std::min(feed, window.substr(0, feed).find('\r'));
    if (found != std::string_view::npos) return at + found;
  }
  return std::string_view::npos;
}

bool is_end(char c) { return c == '\n' || c == '\r'; }

}  // namespace

SseLines::Part SseLines::next(std::string_view bytes) {
  if (after_return_) {
    after_return_ = false;
    if (bytes.starts_with('\n')) return {0, 1, false};
  }
  const std::size_t end = find_end(bytes);
  if (end == std::string_view::npos) return {bytes.size(), bytes.size(), false};
  if (bytes[end] == '\n') return {end, end + 1, true};
  if (bytes.substr(end + 1).starts_with('\n')) return {end, end + 2, true};
  after_return_ = end + 1 == bytes.size();
  return {end, end + 1, true};
}

bool ends_with_empty_line(std::string_view bytes) {
  if (bytes.empty() || !is_end(bytes.back())) return false;
  bytes.remove_suffix(bytes.ends_with("\r\n") ? 2 : 1);
  return bytes.empty() || is_end(bytes.back());
}

}  // namespace cloister::codec
