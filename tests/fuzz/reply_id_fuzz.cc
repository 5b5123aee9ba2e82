// What passes by: pieces of any size give the same answer, and for text that the strict parser takes the outline says the same
// as the parser. A member inserted where the outline says the object ends leaves valid JSON.
#include <algorithm>

#include "codec/json.h"
#include "codec/json_outline.h"
#include "codec/reply_id.h"
#include "fuzz.h"

using namespace cloister;

namespace {

constexpr codec::JsonOutline::Watch kWatches[] = {{"", "id"}, {"response", "id"}};

std::string id_of(bool events, std::string_view text, std::size_t piece) {
  codec::ReplyId reply(events);
  for (std::size_t at = 0; at < text.size(); at += piece) reply.feed(text.substr(at, piece));
  return reply.id();
}

}  // namespace

FUZZ_TARGET(input) {
  const std::string_view text = as_text(input);
  for (const bool events : {false, true}) {
    const std::string whole = id_of(events, text, text.size() + 1);
    FUZZ_CHECK(id_of(events, text, 1) == whole);
    FUZZ_CHECK(id_of(events, text, 3) == whole);
  }
  codec::JsonOutline outline(kWatches);
  outline.feed(text);
  const auto json = codec::parse_json(text);
  if (!json || !json->is_object()) return;
  FUZZ_CHECK(outline.whole());
  FUZZ_CHECK(outline.has_members() == !json->empty());
  const auto id = json->find("id");
  FUZZ_CHECK(outline.has(0) == (id != json->end()));
  if (id != json->end() && id->is_string() && id->get<std::string>().size() <= 170) {
    FUZZ_CHECK(outline.text(0) == id->get<std::string>());
  }
  const auto response = json->find("response");
  const bool inside = response != json->end() && response->is_object() && response->contains("id");
  FUZZ_CHECK(outline.has(1) == inside);
  if (json->contains("salt")) return;
  std::string more(text);
  more.insert(outline.end_position(), std::string(outline.has_members() ? "," : "") + "\"salt\":1");
  const auto again = codec::parse_json(more);
  // One value more can be one too many for the parser's limits.
  FUZZ_CHECK(!again || (again->at("salt") == 1 && again->size() == json->size() + 1));
}
