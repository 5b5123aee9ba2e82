// The configuration file of `cloister serve`: TOML, a section [serve] with the options' names.
#pragma once

#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "config/serve_options.h"

namespace cloister::apps {

// The values of options as the file writes them, by the options' names; those without a value are left out.
using ConfigLines = std::map<std::string, std::string>;

// Reads the section into `options` with the parser and the checks of the command line, so that it accepts the files that `cloister serve`
// accepts; what the file does not name stays as it is. An unknown key is an error, in any section. Returns what is in `options` now, without
// the options that a running node can change (config::OnSighup::kValue) and the file does not name.
Result<ConfigLines> read_serve_config(const std::string& path, config::ServeOptions& options);

// The options that `command` has now.
ConfigLines serve_config_lines(const CLI::App& command);
// The same as such a file.
std::string serve_config_text(const CLI::App& command);

}  // namespace cloister::apps
