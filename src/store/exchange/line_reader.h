// Reads the lines of a file or pipe, one after the other, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::store {

class LineReader {
 public:
  // The caller closes `fd`, which is read from its current position.
  LineReader(int fd, std::size_t most_line_bytes) : fd_(fd), most_(most_line_bytes) {}

  // Returns a line without its end, valid until the next call; absent after the last. The last line may lack its end.
  // kTooLarge for a line beyond the limit, kCancelled when a signal came while it waited.
  Result<std::optional<std::string_view>> next();
  // Number of the last line, counted from 1.
  std::uint64_t number() const { return number_; }

 private:
  const int fd_;
  const std::size_t most_;
  std::string buffer_;
  std::size_t begin_ = 0;   // of the current line
  std::size_t looked_ = 0;  // up to here there is no line end
  bool ended_ = false;
  std::uint64_t number_ = 0;
};

}  // namespace cloister::store
