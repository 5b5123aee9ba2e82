// Identities of models. Accepted input has one canonical form and is read back from it unchanged.
#include "codec/jcs.h"
#include "codec/json.h"
#include "evidence/model_identity.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto object = codec::parse_json(as_text(input));
  if (!object) return;
  const auto identity = evidence::parse_model_identity(*object);
  if (!identity) return;
  const Json written = evidence::to_json(*identity);
  const auto canonical = codec::write_jcs(*object), again = codec::write_jcs(written);
  FUZZ_CHECK(canonical.has_value() && again.has_value() && *canonical == *again);
  for (const char c : *canonical) FUZZ_CHECK(c >= 0x20 && c < 0x7f);
  const auto parsed = evidence::parse_model_identity(written);
  FUZZ_CHECK(parsed.has_value() && *parsed == *identity);
}
