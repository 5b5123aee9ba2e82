// ServeOptions: the values of all options of `cloister serve`. The members are the rows of config/serve_options.def, which say what each
// means. A plain value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cloister::config {

// The folder where a node keeps what has to survive a restart, unless it is told otherwise: of the environment's XDG_STATE_HOME, else of HOME.
std::string default_state_folder();
// The URL of the published source that the build was given; "" where it was given none.
std::string default_source_repo();

struct ServeOptions {
#define CLOISTER_OPTION(type, member, initial, ...) type member = initial;
#include "config/serve_options.def"
#undef CLOISTER_OPTION
};

}  // namespace cloister::config
