// Parses a reply that ReplyWriter wrote, buffered or streamed, in any of the dialects. It serves to compare two replies
// to one request: ids, times and how a stream was cut into events are left out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace cloister::engine {

struct ReadChoice {
  std::string text;
  std::string reasoning;
  std::string calls;   // names and arguments of the called tools, one on each line
  std::string finish;  // in the dialect's words; empty while the reply has not ended

  bool operator==(const ReadChoice&) const = default;
};

struct ReadReply {
  std::vector<ReadChoice> choices;
  // Absent where the reply does not have it.
  std::optional<std::uint64_t> prompt_tokens, completion_tokens;
};

// A stream that was cut off is read as far as it goes. kUnsupported for routes that do not generate, kBadJson for what
// is no reply of the route. Bounded as codec::parse_json() is.
Result<ReadReply> read_reply(Route route, std::string_view body);

}  // namespace cloister::engine
