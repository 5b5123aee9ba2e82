// The lines of a file or pipe, one after the other, in bounded memory.
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
  // `fd` stays the caller's, and is read from where it stands.
  LineReader(int fd, std::size_t most_line_bytes) : fd_(fd), most_(most_line_bytes) {}

  // Without its end, valid until the next call; nothing after the last. The last may lack its end. kTooLarge for a line beyond
  // the limit, kCancelled when a signal came while it waited.
  Result<std::optional<std::string_view>> next();
  // Of the line that came last, counted from 1.
  std::uint64_t number() const { return number_; }

 private:
  const int fd_;
  const std::size_t most_;
  std::string buffer_;
  std::size_t begin_ = 0;     // of the line at hand
  std::size_t looked_ = 0;    // so far there is no end of a line
  bool ended_ = false;
  std::uint64_t number_ = 0;
};

}  // namespace cloister::store
