// Percent-encoding (RFC 3986 section 2.1). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloister::http {

// Turns each %XX into its byte; nullopt when a '%' is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text);

// Decodes as browsers read forms: '+' is a space, and an invalid escape stands for itself.
std::string form_decode(std::string_view text);

}  // namespace cloister::http
