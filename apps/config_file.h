// The file of --config is TOML. The library that reads policies reads it: the option parser's own reader accepts texts that are no TOML, and
// misreads some that are.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

namespace cloister::apps {

// For the option that names the file: a regular file of at most 1 MiB that is TOML. The message names the line.
CLI::Validator toml_file();

// Reads such a file for the option parser. A flag takes true or false and nothing else.
std::shared_ptr<CLI::Config> toml_config();

// A value as TOML writes it: whole numbers, true and false as they are, everything else as a basic string.
std::string toml_value(const std::string& value);

}  // namespace cloister::apps
