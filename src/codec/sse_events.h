// SseEvents: finds where the events of a stream end in the bytes that pass by, without keeping them. An event ends with
// the line feed of an empty line: "\n\n" or "\n\r\n" (also at the very start). Bytes after the last such place are no event yet.
// Streams whose lines end in a bare carriage return are one unfinished event. One thread; allocates nothing.
#pragma once

#include <cstddef>
#include <string_view>

namespace cloister::codec {

class SseEvents {
 public:
  // How many of these bytes belong to the event at hand, and whether it ends with them. Call it again with the rest.
  struct Part {
    std::size_t size = 0;
    bool ends = false;
  };
  Part next(std::string_view bytes);

 private:
  bool line_is_empty_ = true;   // but for a carriage return at its end
  bool after_return_ = false;
};

}  // namespace cloister::codec
