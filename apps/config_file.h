// The file of --config. The option parser's own reader takes more than TOML (values without quotes, strings without an end), and a
// slip of the pen would become another value: the file has to be TOML first.
#pragma once

#include <CLI/CLI.hpp>

namespace cloister::apps {

// For the option that names the file: a regular file of at most 1 MiB that is TOML. The message names the line.
CLI::Validator toml_file();

}  // namespace cloister::apps
