// SseLines: finds where the lines of server-sent events end, in bytes of any pieces. A line ends with a line feed, with
// a carriage return, or with both in this order (WHATWG HTML, section 9.2.6). All code that splits events uses this
// class, so that the node which hashes events, the verifier and the client agree. One thread; allocates nothing.
#pragma once

#include <cstddef>
#include <string_view>

namespace cloister::codec {

class SseLines {
 public:
  // `size` is how many of the given bytes belong to the current line; the first `text` of those are its text. `ends`:
  // the line ends here. A line ends at its carriage return. When a line feed is the first byte of the next piece, that
  // line feed still belongs to the same line end: the next part then has a size of 1, no text, and ends nothing.
  struct Part {
    std::size_t text = 0;
    std::size_t size = 0;
    bool ends = false;
  };
  // `bytes` is not empty. Call it again with the rest.
  Part next(std::string_view bytes);

 private:
  bool after_return_ = false;
};

// True when the last line of `bytes` is empty and ended, so that no event is cut. `bytes` is the end of a stream, or all of it.
bool ends_with_empty_line(std::string_view bytes);

}  // namespace cloister::codec
