// SseEvents: finds where the events of a stream end in the bytes that pass through, without keeping them. An event ends
// with an empty line and its line end (codec/sse_lines.h): "\n\n", "\r\n\r\n", "\r\r", also at the very start. Bytes
// after the last such place are no event yet. One thread; allocates nothing.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "codec/sse_lines.h"

namespace cloister::codec {

class SseEvents {
 public:
  // How many of these bytes belong to the current event, and whether it ends with them. Call it again with the rest.
  // After a carriage return at the end of a piece, only the next byte tells whether the line end has a line feed too:
  // an event may then end before the first byte of the next piece, with a size of 0.
  struct Part {
    std::size_t size = 0;
    bool ends = false;
  };
  Part next(std::string_view bytes);
  // Called at the end of the stream: true when an event has ended that next() did not report, because nothing followed it.
  bool finish();

 private:
  SseLines lines_;
  bool line_is_empty_ = true;
  bool ended_ = false;  // ended by a carriage return, perhaps with a line feed after it
};

// The complete events in `bytes`, and the bytes after the last of them. All are views into `bytes`.
struct SplitEvents {
  std::vector<std::string_view> events;
  std::string_view rest;
};
SplitEvents split_events(std::string_view bytes);

}  // namespace cloister::codec
