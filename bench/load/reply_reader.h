// Incremental reader of one HTTP/1.1 reply at a time: removes the head and the chunk framing, and passes on the body.
// Bounded: a head of more than 64 KiB is an error. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::bench {

class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void on_body(std::string_view bytes) = 0;
};

class ReplyReader {
 public:
  // Forgets the last reply.
  void reset();
  // True once the reply is complete. Bytes after its end are an error: this client never pipelines.
  Result<bool> feed(std::string_view bytes, BodySink& sink);
  int status() const { return status_; }
  // True when the server wants to close the connection after this reply.
  bool closes() const { return closes_; }

 private:
  enum class State { kHead, kFixed, kChunkSize, kChunkData, kChunkEnd, kTrailer, kDone };

  Result<std::string_view> take_head(std::string_view bytes);
  Result<void> parse_head(std::string_view head);
  void parse_header_line(std::string_view line);
  // Takes one line, without its end, into line_; false when it is not complete yet.
  Result<bool> take_line(std::string_view& bytes);
  Result<void> begin_chunk();

  State state_ = State::kHead;
  std::string head_;
  std::string line_;
  int status_ = 0;
  bool closes_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
  bool bad_length_ = false;
  std::uint64_t left_ = 0;  // body bytes still to come, of the reply or of the chunk
};

}  // namespace cloister::bench
