// Examples and exit statuses at the end of each command's --help.
#pragma once

#include "apps/commands.h"

namespace cloister::apps {

// Gives every command of the program its footer. Call it once, when all commands have been added.
void add_help_texts(CLI::App& app);

}  // namespace cloister::apps
