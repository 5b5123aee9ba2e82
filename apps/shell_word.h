// Writes a file name for a command that is printed for somebody to run.
#pragma once

#include <string>

namespace cloister::apps {

// The name in the form that a POSIX shell reads as one word: in single quotes where it holds more than letters, digits and "./_-+:@%,=".
std::string shell_word(const std::string& text);

}  // namespace cloister::apps
