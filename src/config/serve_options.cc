#include "config/serve_options.h"

#include <cstdlib>

namespace cloister::config {

std::string default_state_folder() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != '\0') {
    return std::string(state) + "/cloister";
  }
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "") + "/.local/state/cloister";
}

std::string default_source_repo() { return CLOISTER_SOURCE_REPO; }

}  // namespace cloister::config
