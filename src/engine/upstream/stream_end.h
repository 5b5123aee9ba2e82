// StreamEnd: tells from its last bytes whether a stream of server-sent events that has ended was whole.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cloister::engine::upstream {

class StreamEnd {
 public:
  // `framed`: the transfer itself says where the body ends. Without framing only the dialect's last event does:
  // "[DONE]" in OpenAI's, message_stop in Anthropic's.
  void begin(bool events, bool framed);
  void feed(std::string_view bytes);
  // True when nothing was cut: not in the middle of an event, nor, without framing, before the last event.
  bool whole() const;

 private:
  // More than the last event of either dialect has.
  static constexpr std::size_t kTailBytes = 256;

  bool events_ = false;
  bool framed_ = true;
  std::string tail_;
};

}  // namespace cloister::engine::upstream
