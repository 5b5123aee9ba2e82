// Names of JSON members as parsers read them that take no notice of the case of letters (Go's encoding/json). Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace cloister::codec {

// `name` in lower case. Beside the ASCII letters these are U+017F (long s) and U+212A (Kelvin sign), which fold to ASCII letters
// (Unicode CaseFolding.txt).
std::string folded_name(std::string_view name);

// Whether `name` becomes `folded`, an ASCII text in lower case, in folded_name(), and is another text. Allocates nothing.
bool is_same_but_for_case(std::string_view name, std::string_view folded);

}  // namespace cloister::codec
