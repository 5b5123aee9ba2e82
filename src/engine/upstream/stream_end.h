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
  // The last bytes of the stream, kTailBytes or more where there were so many; empty for what is no stream of events.
  std::string_view tail() const { return tail_; }

 private:
  // The last event and the one before it, which has the token counts.
  static constexpr std::size_t kTailBytes = 1024;

  bool events_ = false;
  bool framed_ = true;
  std::string tail_;
};

}  // namespace cloister::engine::upstream
