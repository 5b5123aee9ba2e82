// The configuration file of `cloister serve`: TOML, a section [serve] with the options' names.
#pragma once

#include <map>
#include <string>

#include "apps/serve_options.h"

namespace cloister::apps {

// The values of options as the file writes them, by the options' names; those without a value are left out.
using ConfigLines = std::map<std::string, std::string>;

// Reads the section into `options` with the checks of the command line; what it does not name stays as it is, except
// `state_folder`, which gets its default. An unknown key is an error, in any section. Returns what is in `options` now.
Result<ConfigLines> read_serve_config(const std::string& path, ServeOptions& options);

// The options that `command` has now.
ConfigLines serve_config_lines(const CLI::App& command);
// The same as such a file.
std::string serve_config_text(const CLI::App& command);

}  // namespace cloister::apps
