#include "store/exchange/line_reader.h"

#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cloister::store {

Result<std::optional<std::string_view>> LineReader::next() {
  while (true) {
    const std::size_t end = buffer_.find('\n', looked_);
    if (end != std::string::npos || (ended_ && begin_ < buffer_.size())) {
      const std::size_t stop = end != std::string::npos ? end : buffer_.size();
      const std::string_view line = std::string_view(buffer_).substr(begin_, stop - begin_);
      begin_ = looked_ = std::min(stop + 1, buffer_.size());
      ++number_;
      if (line.size() > most_) return fail(ErrorCode::kTooLarge, "is longer than " + std::to_string(most_) + " bytes");
      return std::optional(line);
    }
    if (ended_) return std::optional<std::string_view>();
    buffer_.erase(0, begin_);
    begin_ = 0;
    looked_ = buffer_.size();
    if (buffer_.size() > most_) {
      ++number_;
      return fail(ErrorCode::kTooLarge, "is longer than " + std::to_string(most_) + " bytes");
    }
    constexpr std::size_t kPiece = 256u << 10;
    buffer_.resize(looked_ + kPiece);
    const ssize_t got = ::read(fd_, buffer_.data() + looked_, kPiece);
    const int code = errno;
    buffer_.resize(looked_ + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && code == EINTR) return fail(ErrorCode::kCancelled, "interrupted");
    if (got < 0) return fail(ErrorCode::kIo, std::string("cannot read: ") + strerror(code));
    ended_ = got == 0;
  }
}

}  // namespace cloister::store
