#include "engine/dialect/stream_end.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cloister::engine {
namespace {

// How a line begins at which clients take their reply as complete: "[DONE]" in OpenAI's chat and completions,
// message_stop in Anthropic's Messages, the three ends of OpenAI's Responses. The space is optional (WHATWG HTML,
// section 9.2.6).
constexpr std::array<std::string_view, 10> kLast = {"data: [DONE]",
                                                    "data:[DONE]",
                                                    "event: message_stop",
                                                    "event:message_stop",
                                                    "event: response.completed",
                                                    "event:response.completed",
                                                    "event: response.failed",
                                                    "event:response.failed",
                                                    "event: response.incomplete",
                                                    "event:response.incomplete"};
constexpr std::size_t kLongest = std::ranges::max(kLast, {}, &std::string_view::size).size();

bool ends_stream(std::string_view line) {
  return std::ranges::any_of(kLast, [&](std::string_view last) { return line.starts_with(last); });
}
bool may_end_stream(std::string_view line) {
  return std::ranges::any_of(kLast, [&](std::string_view last) { return last.starts_with(line); });
}

}  // namespace

void StreamEnd::begin(bool events, bool framed) {
  events_ = events;
  framed_ = framed;
}

StreamEnd::Passed StreamEnd::feed(std::string_view bytes) {
  if (!events_) return {{}, bytes};
  Passed out{{}, bytes};
  std::size_t held_from = found_ ? 0 : bytes.size();
  for (std::size_t at = 0; at < bytes.size();) {
    const codec::SseLines::Part part = lines_.next(bytes.substr(at));
    const std::string_view text = bytes.substr(at, part.text);
    if (!found_ && (line_ == Line::kMayEndStream || (line_ == Line::kEmpty && !text.empty()))) {
      std::string joined;
      std::string_view line = text;
      if (!held_.empty()) line = joined = held_ + std::string(text.substr(0, kLongest));
      found_ = ends_stream(line);
      const bool open = !found_ && !part.ends && may_end_stream(line);
      if (found_ || open) held_from = at;
      if (!found_ && !open) out.before += std::exchange(held_, {});
      line_ = open ? Line::kMayEndStream : Line::kOther;
    } else if (!text.empty()) {
      line_ = Line::kOther;
    }
    in_event_ = in_event_ || !text.empty();
    if (part.ends) {
      in_event_ = line_ != Line::kEmpty;
      line_ = Line::kEmpty;
    }
    at += part.size;
  }
  held_.append(bytes.substr(held_from));
  out.bytes = bytes.substr(0, held_from);
  return out;
}

bool StreamEnd::whole() const {
  // A body of another kind that ends with the connection may have been cut anywhere.
  if (!events_) return framed_;
  return !in_event_ && (framed_ || found_);
}

}  // namespace cloister::engine
