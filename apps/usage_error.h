// The message for a command line or a configuration file that cannot be parsed.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace cloister::apps {

// One line: the unknown word, in the command that does not know it, and the word that was perhaps meant; for a
// configuration file also its name and the line.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error);

}  // namespace cloister::apps
