// Patterns of JSON schemas (ECMA-262 with the flag u) that the engine's grammar can follow exactly. The library accepts
// a part of the syntax, reads some of that part differently, and accepts any string for the rest. So a pattern is
// parsed here, and written again in a form that the library reads as intended: one class of characters for each
// character, and groups.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::engine {

struct ExactPattern {
  std::string text;             // anchored at both ends
  std::size_t repetitions = 0;  // characters and groups in it, with the bounded repetitions written out
};

// `pattern` has to be anchored with ^ and $. Accepted are literals, classes, groups without lookaround, alternatives
// within a group, the quantifiers with bounds up to 2,000, and the escapes \d \D \w \W \s \S \x \u and of punctuation.
// Every text that the result matches matches `pattern` too. The result never matches a quotation mark, a backslash or a
// control character, which a JSON string writes as an escape: a pattern that needs one is an Error. So is a repetition
// of what can be empty, since the library's time grows exponentially with it. The Error says what is not accepted and
// quotes nothing of the pattern. Any thread; time grows with the length of the pattern.
Result<ExactPattern> exact_pattern(std::string_view pattern);

}  // namespace cloister::engine
