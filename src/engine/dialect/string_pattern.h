// Patterns of JSON schemas (ECMA-262 with the flag u) that the engine's grammar can follow exactly. The library takes a
// part of the syntax, reads some of that part differently, and accepts any string for the rest; so a pattern is read
// here, and written again as what the library reads as it is meant: one class of characters for each character, and
// groups.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::engine {

struct ExactPattern {
  std::string text;             // anchored at both ends
  std::size_t repetitions = 0;  // characters and groups of it, with the bounded repetitions written out
};

// `pattern` has to be anchored with ^ and $. Taken are literals, classes, groups without a look around, alternatives
// within a group, the quantifiers with bounds up to 2,000, and the escapes \d \D \w \W \s \S \x \u and of punctuation.
// Every text that the result matches matches `pattern` too. The result never matches a quotation mark, a backslash or a
// control character, which a JSON string writes as an escape: a pattern that needs one is an Error. So is a repetition
// of what can be empty, for the library's time grows exponentially with it. The Error says what is not taken and quotes
// nothing of the pattern. Any thread; time grows with the length of the pattern.
Result<ExactPattern> exact_pattern(std::string_view pattern);

}  // namespace cloister::engine
