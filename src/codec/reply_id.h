// ReplyId: finds the id in the bytes of a reply that passes through, and the name of the model that the reply says it
// comes from: a JSON object's "id" and "model", or those of the first server-sent events that have them. Where the
// dialect has them one level down they are found there ("response" of OpenAI's Responses, "message" of Anthropic's
// message_start). It reads a bounded part of the reply in pieces of any size, and changes nothing. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "codec/json_outline.h"

namespace cloister::codec {

class ReplyId {
 public:
  // How much of a reply is searched. Some servers put "id" after all of the text of a buffered reply.
  static constexpr std::size_t kBufferedLimitBytes = 1u << 20;
  static constexpr std::size_t kEventsLimitBytes = 64u << 10;

  explicit ReplyId(bool events);
  void feed(std::string_view bytes);
  // True when the id was found, or can no longer be found.
  bool done() const { return done_; }
  // 1 to 256 printable ASCII characters without '/', so that it can stand in a path; empty when there is none.
  const std::string& id() const { return id_; }
  // The server's own statement. At most 1,024 bytes of valid text; empty when there is none.
  const std::string& model() const { return model_; }

 private:
  void feed_events(std::string_view bytes);
  void look();

  const bool events_;
  bool done_ = false;
  std::size_t left_;
  JsonOutline outline_;
  std::string id_;
  std::string model_;
  // For streams of events: the state of the current line.
  std::size_t prefix_ = 0;       // how much of "data:" the line has shown so far
  bool other_field_ = false;
  bool after_return_ = false;
};

}  // namespace cloister::codec
