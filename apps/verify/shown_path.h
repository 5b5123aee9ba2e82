// How messages name a file that an option gave.
#pragma once

#include <string>

#include "base/error.h"

namespace cloister::apps {

// The path, or "standard input" for "-".
inline std::string shown_path(const std::string& path) { return path == "-" ? "standard input" : path; }

// The same Error, with the file's name before the message.
inline Error about(const std::string& path, const Error& error) {
  Error named = error;
  named.message = shown_path(path) + ": " + error.message;
  return named;
}

}  // namespace cloister::apps
