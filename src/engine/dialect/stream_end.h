// StreamEnd: follows a stream of server-sent events that another server writes. It holds back the event that ends the
// stream for the stream's reader, and says at the end whether the stream was whole. Every dialect's last event is listed
// in the source, and nowhere else. Any piece sizes; reads each byte once. One thread.
#pragma once

#include <string>
#include <string_view>

#include "codec/sse_lines.h"

namespace cloister::engine {

class StreamEnd {
 public:
  // `events`: the body is a stream of events; every other body passes unchanged. `framed`: the transfer itself says where
  // the body ends. Without framing only the dialect's last event does.
  void begin(bool events, bool framed);

  // What may be sent on after a piece has come. `before` precedes `bytes`: the beginning of a line that the piece before
  // left open, which might have become the last event.
  struct Passed {
    std::string before;
    std::string_view bytes;
  };
  Passed feed(std::string_view bytes);

  // The last event, with all that came after its beginning, once the stream has ended. Until then also the beginning of
  // a line that may become the last event, which is shorter than such a line.
  std::string_view held() const { return held_; }
  // True when nothing was cut: not in the middle of an event, nor, without framing, before the last event.
  bool whole() const;

 private:
  enum class Line { kEmpty, kMayEndStream, kOther };

  bool events_ = false;
  bool framed_ = true;
  codec::SseLines lines_;
  Line line_ = Line::kEmpty;  // the line at hand
  bool in_event_ = false;     // something has come since the last empty line
  bool found_ = false;        // the last event has begun
  std::string held_;
};

}  // namespace cloister::engine
