#include "http/outbox.h"

#include <charconv>

namespace cloister::http {

void Outbox::frame_plain() {
  prefix_size_ = 0;
  start({});
}

void Outbox::frame_chunk(bool last) {
  prefix_size_ = 0;
  if (last && !trailers_.empty()) {
    trailers_.insert(0, data_.empty() ? "0\r\n" : "\r\n0\r\n").append("\r\n");
  }
  const std::string_view end_of_body = !trailers_.empty() ? std::string_view(trailers_)
                                       : data_.empty()    ? std::string_view("0\r\n\r\n")
                                                          : std::string_view("\r\n0\r\n\r\n");
  if (data_.empty()) return start(last ? end_of_body : std::string_view());
  char* const end = std::to_chars(prefix_.data(), prefix_.data() + 16, data_.size(), 16).ptr;
  end[0] = '\r';
  end[1] = '\n';
  prefix_size_ = static_cast<std::size_t>(end + 2 - prefix_.data());
  start(last ? end_of_body : std::string_view("\r\n"));
}

void Outbox::start(std::string_view tail) {
  tail_ = tail;
  sent_ = 0;
  left_ = head_.size() + prefix_size_ + data_.size() + tail_.size();
}

std::array<std::string_view, Outbox::kMaxPieces> Outbox::pieces() const {
  return {head_, {prefix_.data(), prefix_size_}, data_, tail_};
}

std::size_t Outbox::gather(std::array<iovec, kMaxPieces>& out) const {
  std::size_t count = 0;
  std::size_t skip = sent_;
  for (std::string_view piece : pieces()) {
    if (skip >= piece.size()) {
      skip -= piece.size();
      continue;
    }
    piece.remove_prefix(skip);
    skip = 0;
    out[count++] = iovec{const_cast<char*>(piece.data()), piece.size()};
  }
  return count;
}

void Outbox::consume(std::size_t count) {
  sent_ += count;
  left_ -= count;
  if (left_ > 0) return;
  // The head is written once for each reply and can be large; the data buffer is used again for the next chunk.
  if (!head_.empty()) head_ = std::string();
  if (data_.capacity() > kKeptBytes) {
    data_ = std::string();
  } else {
    data_.clear();
  }
}

void Outbox::release() {
  head_ = std::string();
  data_ = std::string();
  trailers_ = std::string();
}

}  // namespace cloister::http
