// The file of --config is TOML. The library that parses policies parses it too: the option parser's own reader accepts
// texts that are not TOML, and misreads some that are.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>

namespace cloister::apps {

// For the option that names the file: it must be a regular file of at most 1 MiB that is TOML. The message names the line.
CLI::Validator toml_file();

// Parses such a file for the option parser. A flag accepts only true or false.
std::shared_ptr<CLI::Config> toml_config();

// A value in TOML's spelling: whole numbers, true and false unchanged, everything else as a basic string.
std::string toml_value(const std::string& value);

}  // namespace cloister::apps
