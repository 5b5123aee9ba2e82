// The reader reads one HTTP/1.1 reply at a time, incrementally. It removes the head and the chunk framing and passes
// the body on. A head of more than 64 KiB is an error. One thread uses the reader.
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
  // Returns true once the reply is complete. Bytes after its end are an error, because this client never pipelines.
  Result<bool> feed(std::string_view bytes, BodySink& sink);
  int status() const { return status_; }
  // Returns true when the server wants to close the connection after this reply.
  bool closes() const { return closes_; }

 private:
  enum class State { kHead, kFixed, kChunkSize, kChunkData, kChunkEnd, kTrailer, kDone };

  Result<std::string_view> take_head(std::string_view bytes);
  Result<void> parse_head(std::string_view head);
  void parse_header_line(std::string_view line);
  // Moves one line, without its line end, into line_. Returns false when the line is not complete yet.
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
