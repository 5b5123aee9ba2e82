// Canonical JSON. The canonical form of a value is JSON, and it is its own canonical form. The order of the members in
// the input makes no difference.
#include <algorithm>

#include "codec/jcs.h"
#include "codec/json.h"
#include "fuzz.h"

namespace {

// Returns the members of the outermost object in reverse order.
cloister::Json reversed(const cloister::Json& value) {
  if (!value.is_object()) return value;
  cloister::Json out = cloister::Json::object();
  for (auto member = value.rbegin(); member != value.rend(); ++member) out[member.key()] = member.value();
  return out;
}

}  // namespace

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto json = codec::parse_json(as_text(input), {.max_bytes = 1u << 16, .max_depth = 64, .max_values = 1u << 12});
  if (!json) return;
  const auto canonical = codec::write_jcs(*json);
  if (!canonical) {
    FUZZ_CHECK(canonical.error().code == ErrorCode::kBadJson);
    return;
  }
  const auto again = codec::parse_json(*canonical);
  FUZZ_CHECK(again.has_value());
  const auto twice = codec::write_jcs(*again);
  FUZZ_CHECK(twice.has_value() && *twice == *canonical);
  const auto turned = codec::write_jcs(reversed(*json));
  FUZZ_CHECK(turned.has_value() && *turned == *canonical);
}
