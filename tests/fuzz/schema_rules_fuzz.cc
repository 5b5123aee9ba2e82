// The schemas of requests and the patterns in them. A schema that the strict mode accepts is also accepted without that
// mode. An accepted pattern keeps its bounds.
#include "engine/dialect/schema_rules.h"

#include "codec/json.h"
#include "engine/dialect/string_pattern.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  const std::string_view text = cloister::as_text(input);
  if (const auto pattern = cloister::engine::exact_pattern(text)) {
    FUZZ_CHECK(pattern->repetitions > 0 && pattern->repetitions <= 2000);
    FUZZ_CHECK(pattern->text.starts_with('^') && pattern->text.ends_with('$'));
    for (const char c : pattern->text) FUZZ_CHECK(c > 0x20 && c < 0x7f && c != '"');
  }
  auto schema = cloister::codec::parse_json(text);
  if (!schema) return;
  cloister::Json strict = *schema;
  cloister::Json loose = *schema;
  cloister::engine::SchemaRules rules;
  cloister::engine::SchemaRules others;
  const bool followed = rules.apply(strict, "x", true).has_value();
  const bool taken = others.apply(loose, "x", false).has_value();
  FUZZ_CHECK(!followed || taken);
}
