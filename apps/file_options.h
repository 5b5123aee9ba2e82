// Checks options that name files before anything is asked for or sent, so that a wrong name costs no reply.
#pragma once

#include <string>

#include "base/result.h"

namespace cloister::apps {

// kUsage with the option's name ("--ca-file") unless the file can be opened. An empty path means none.
Result<void> check_can_read(const std::string& option, const std::string& path);

// kUsage with the option's name unless its folder exists and accepts new files. An empty path means none; "-" is standard output.
Result<void> check_can_write(const std::string& option, const std::string& path);

}  // namespace cloister::apps
