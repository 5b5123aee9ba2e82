// ReplyWords: what a reply of another server says of itself, read from the bytes that pass by: its id, the model that it comes from, how
// many tokens it counts and why it ended. These are members of a JSON object, or of the objects that server-sent events carry; where the
// dialect keeps them one level down they are found there ("response" of OpenAI's Responses, "message" of Anthropic's message_start).
// A reply that two readers understand differently says nothing: a member stands twice, or in letters of another case, or the text is no
// JSON, or two events name different models, or more comes behind the "[DONE]" at which clients stop. Reads all of the reply, keeps a bounded part, changes nothing, any piece sizes. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "codec/json_outline.h"
#include "codec/sse_lines.h"

namespace cloister::codec {

class ReplyWords {
 public:
  explicit ReplyWords(bool events);
  void feed(std::string_view bytes);

  // True when the reply, as far as it was read, has two readings. An object, or an event, counts when it is complete.
  bool ambiguous() const { return ambiguous_; }

  // 1 to 256 printable ASCII characters without '/', so that it can stand in a path; empty when there is none. The first of a stream.
  std::string_view id() const { return said(id_); }
  // The server's own word. At most 1,024 bytes of valid text; empty when there is none.
  std::string_view model() const { return said(model_); }
  // The text of the last "usage" that is an object; empty when there is none, or when it is larger than JsonOutline keeps.
  std::string_view usage() const { return said(usage_); }
  // The text of the "usage" in the "message" with which a stream of Anthropic's dialect begins; empty when there is none.
  std::string_view opening_usage() const { return said(opening_usage_); }
  // The last "finish_reason" or "stop_reason" that is a text; empty when there is none.
  std::string_view reason() const { return said(reason_); }

 private:
  std::string_view said(const std::string& word) const { return ambiguous_ ? std::string_view() : word; }
  void feed_object(std::string_view bytes);
  void feed_events(std::string_view bytes);
  void take_data(std::string_view text);
  void end_event();
  void take_object();
  void take_model();
  void take_one(std::string& word, const std::string& found);

  const bool events_;
  bool ambiguous_ = false;
  JsonOutline outline_;
  bool begun_ = false;  // bytes of an object have come
  bool taken_ = false;  // the object that is no event was whole
  std::string id_;
  std::string model_;
  bool no_name_ = false;  // a model has come that is none
  std::string usage_;
  std::string opening_usage_;
  std::string reason_;
  // In events.
  SseLines lines_;
  std::size_t byte_mark_ = 0;  // how much of a byte order mark the stream began with
  bool stream_begun_ = false;
  std::size_t prefix_ = 0;  // how much of "data:" the line at hand has shown
  bool other_field_ = false;
  std::size_t done_mark_ = 0;  // how much of "[DONE]" the data of the line at hand has shown
  bool done_ = false;
};

}  // namespace cloister::codec
