// Server-sent events. The same bytes in other pieces give the same events.
#include "codec/sse.h"

#include <vector>

#include "fuzz.h"

namespace {

constexpr std::size_t kEventLimit = 256;

struct Outcome {
  std::vector<std::string> events;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

// Parses the text in pieces of `piece` bytes.
Outcome parse(std::string_view text, std::size_t piece) {
  Outcome out;
  cloister::codec::SseParser parser([&out](std::string_view data) { out.events.emplace_back(data); }, kEventLimit);
  while (!text.empty() && !out.failed) {
    const std::string_view head = text.substr(0, piece);
    out.failed = !parser.feed(head);
    text.remove_prefix(head.size());
  }
  return out;
}

}  // namespace

FUZZ_TARGET(input) {
  const std::string_view text = cloister::as_text(input);
  const Outcome whole = parse(text, text.size() + 1);
  for (const std::size_t piece : {1, 2, 7}) {
    const Outcome pieces = parse(text, piece);
    FUZZ_CHECK(pieces.failed == whole.failed);
    FUZZ_CHECK(pieces.failed || pieces == whole);
  }
  for (const std::string& event : whole.events) FUZZ_CHECK(event.size() <= kEventLimit);
}
