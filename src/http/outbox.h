// Outbox: what one connection still has to write: response head, chunk header, data, tail. One gathered write at most
// sends all of them. Loop thread only; allocates nothing once its buffers have grown to the size of the traffic.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cloister::http {

class Outbox {
 public:
  static constexpr std::size_t kMaxPieces = 4;

  // Fill these while empty(), then call one of the frame_ functions.
  std::string& head() { return head_; }
  std::string& data() { return data_; }
  // Field lines that follow the last chunk, each with its CRLF.
  std::string& trailers() { return trailers_; }

  // Sends the data without framing.
  void frame_plain();
  // Sends the data as one chunk of RFC 9112 section 7.1 (none when there is no data), and the last chunk if `last`.
  void frame_chunk(bool last);

  bool empty() const { return left_ == 0; }
  // Points `pieces` at the bytes that are not yet written; returns how many pieces there are.
  std::size_t gather(std::array<iovec, kMaxPieces>& pieces) const;
  // Says that `count` more bytes have been written.
  void consume(std::size_t count);
  // Frees memory; only while empty().
  void release();

 private:
  // After a burst a buffer of at most this size is kept for the next chunk.
  static constexpr std::size_t kKeptBytes = 4u << 10;

  std::array<std::string_view, kMaxPieces> pieces() const;
  void start(std::string_view tail);

  std::string head_;
  std::string data_;
  std::string trailers_;
  std::string_view tail_;
  std::size_t left_ = 0;
  std::size_t sent_ = 0;
  std::array<char, 18> prefix_{};  // 16 hex digits and CRLF
  std::size_t prefix_size_ = 0;
};

}  // namespace cloister::http
