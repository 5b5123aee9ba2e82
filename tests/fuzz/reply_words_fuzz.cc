// Replies that are read while they pass. Pieces of any size give the same result. For text that the strict parser
// accepts, the outline and the parser agree. A member that is inserted where the outline says the object ends leaves
// valid JSON.
#include <algorithm>

#include "codec/json.h"
#include "codec/json_outline.h"
#include "codec/reply_words.h"
#include "fuzz.h"

using namespace cloister;

namespace {

constexpr codec::JsonOutline::Watch kWatches[] = {{"", "id"}, {"response", "id"}};

// Capitals may also be written as escapes, or as letters beyond ASCII that fold to ASCII letters.
bool has_capitals(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '\\' || static_cast<unsigned char>(c) >= 0x80;
  });
}

std::string words_of(bool events, std::string_view text, std::size_t piece) {
  codec::ReplyWords words(events);
  for (std::size_t at = 0; at < text.size(); at += piece) words.feed(text.substr(at, piece));
  std::string out(words.ambiguous() ? "?" : "!");
  for (const std::string_view word : {words.id(), words.model(), words.usage(), words.reason()})
    out.append(word).push_back('\n');
  return out;
}

}  // namespace

FUZZ_TARGET(input) {
  const std::string_view text = as_text(input);
  for (const bool events : {false, true}) {
    const std::string whole = words_of(events, text, text.size() + 1);
    FUZZ_CHECK(words_of(events, text, 1) == whole);
    FUZZ_CHECK(words_of(events, text, 3) == whole);
  }
  codec::JsonOutline outline(kWatches);
  outline.feed(text);
  const auto json = codec::parse_json(text);
  if (!json || !json->is_object()) return;
  FUZZ_CHECK(outline.whole());
  FUZZ_CHECK(!outline.malformed());
  FUZZ_CHECK(outline.has_members() == !json->empty());
  // The parser refuses a name that occurs twice. The remaining case is two names that differ in the case of letters.
  FUZZ_CHECK(!outline.ambiguous() || has_capitals(text));
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
  // One more value can exceed the parser's limits.
  FUZZ_CHECK(!again || (again->at("salt") == 1 && again->size() == json->size() + 1));
}
