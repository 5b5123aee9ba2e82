// A file name in a command that is printed for somebody to run.
#pragma once

#include <string>

namespace cloister::apps {

// As a POSIX shell reads it as one word: in single quotes where it holds more than letters, digits and "./_-+:@%,=".
std::string shell_word(const std::string& text);

}  // namespace cloister::apps
