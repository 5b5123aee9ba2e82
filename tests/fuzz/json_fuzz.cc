// JSON. A second parser reads all accepted input. It can be written, and the written text reads back the same. A number
// without a fraction may come back as another of JSON's kinds of number, so texts are compared after one round.
#include "codec/json.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto json = codec::parse_json(as_text(input));
  // The parser for secrets accepts a subset of the input with equal values.
  const auto secret = codec::parse_secret_json(as_text(input));
  FUZZ_CHECK(!secret || (json && *secret == *json));
  if (!json) {
    FUZZ_CHECK(!json.error().message.empty());
    return;
  }
  FUZZ_CHECK(Json::parse(as_text(input), nullptr, false) == *json);
  const std::string once = codec::write_json(*json);
  const auto again = codec::parse_json(once);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(codec::write_json(*again) == once);
  for (const auto* name : {"nonce", "a", ""}) {
    const auto text = codec::string_member(*json, name);
    FUZZ_CHECK(!text || json->at(name) == *text);
  }
}
