// The file of --config is TOML. The library that parses policies parses it too: the option parser's own reader accepts
// texts that are not TOML, and misreads some that are.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace cloister::apps {

// For an option that names such a file: it must be a regular file of at most 1 MiB that is TOML. The message names the line.
CLI::Validator toml_file();

// Adds --config to the program. Its file may hold a section for each command that `app` has; an unknown key is an error, in any section. A
// flag accepts only true or false there.
void accept_config_file(CLI::App& app);

// A value in TOML's spelling: whole numbers, true and false unchanged, everything else as a basic string.
std::string toml_value(const std::string& value);

}  // namespace cloister::apps
