// Bodies that are passed on without full parsing. For text that the strict parser also accepts, the members are the
// parser's, name by name and value by value. Refused text has two members of one name, or more members than are read.
#include <set>
#include <string>

#include "codec/json.h"
#include "codec/json_members.h"
#include "fuzz.h"

using namespace cloister;

namespace {

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// Tells whether no two names differ only in the case of their letters.
bool distinct(const Json& object) {
  std::set<std::string> names;
  for (const auto& [name, value] : object.items()) {
    if (!names.insert(lower_case(name)).second) return false;
  }
  return true;
}

}  // namespace

FUZZ_TARGET(input) {
  const std::string_view text = as_text(input);
  const auto members = codec::read_members(text);
  const auto json = codec::parse_json(text);
  if (members) FUZZ_CHECK(members->size() <= codec::kMostMembers);
  if (!json || !json->is_object()) return;
  if (!members) {
    FUZZ_CHECK(!distinct(*json) || json->size() > codec::kMostMembers);
    return;
  }
  FUZZ_CHECK(members->size() == json->size());
  for (const codec::JsonMember& member : *members) {
    const auto found = json->find(member.name);
    FUZZ_CHECK(found != json->end());
    const auto value = codec::parse_json(member.value);
    FUZZ_CHECK(value && *value == *found);
  }
}
