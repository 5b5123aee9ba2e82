// What to say of a command line or a configuration file that cannot be read.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace cloister::apps {

// One line: the word that is not known, in the command that does not know it, and the one that was perhaps meant; of a configuration
// file its name and the line.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error);

}  // namespace cloister::apps
