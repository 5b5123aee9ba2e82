#include "load/sse_counter.h"

#include <charconv>

namespace cloister::bench {
namespace {

constexpr std::string_view kTokens = "\"completion_tokens\":";
constexpr std::size_t kKeepLimitBytes = 64 << 10;

}  // namespace

void SseCounter::reset() { *this = SseCounter(); }

int SseCounter::feed(std::string_view bytes) {
  const std::uint64_t before = events_;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      partial_.append(bytes);
      break;
    }
    if (partial_.empty()) {
      take_line(bytes.substr(0, end));
    } else {
      partial_.append(bytes.substr(0, end));
      take_line(partial_);
      partial_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
  return static_cast<int>(events_ - before);
}

void SseCounter::take_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) {
    if (pending_) ++events_;
    pending_ = false;
    return;
  }
  if (!line.starts_with("data:")) return;
  line.remove_prefix(line.starts_with("data: ") ? 6 : 5);
  if (line == "[DONE]") {
    saw_done_ = true;
    return;
  }
  pending_ = true;
  if (first_event_.empty()) first_event_ = line.substr(0, kKeepLimitBytes);
  const std::size_t at = line.find(kTokens);
  if (at == std::string_view::npos) return;
  std::string_view number = line.substr(at + kTokens.size());
  if (number.starts_with(' ')) number.remove_prefix(1);
  std::from_chars(number.data(), number.data() + number.size(), completion_tokens_);
}

}  // namespace cloister::bench
