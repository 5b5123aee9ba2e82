// The configuration file of `cloister serve`: TOML, a section [serve] with the options' names.
#pragma once

#include <string>

#include "apps/serve_options.h"

namespace cloister::apps {

// Reads the section into `options` with the checks of the command line. What the file does not name stays unchanged,
// except `state_folder`, which gets its default. An unknown key is an error, in any section.
Result<void> read_serve_config(const std::string& path, ServeOptions& options);

// The options that `command` has now, in the form of such a file.
std::string serve_config_text(const CLI::App& command);

}  // namespace cloister::apps
