// ConfigChanges: what of a configuration file has changed since the node was started with it, and takes a restart to come into force. Main thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "apps/serve_config.h"

namespace cloister::apps {

class ConfigChanges {
 public:
  ConfigChanges() = default;
  // `path` of the file; `file`: the options as the file alone gives them; `in_force`: with those of the command line, which go before it.
  ConfigChanges(std::string path, ConfigLines file, const ConfigLines& in_force);

  // "" where the node was started without a file.
  const std::string& path() const { return path_; }

  // True where the command line gave the option a value that the file does not have. The command line goes before the file.
  bool is_of_command_line(const std::string& option) const { return of_command_line_.contains(option); }
  // The option is in force as the file has it now.
  void was_applied(const std::string& option, const ConfigLines& file);
  // The names of the options that the file gives another value now than the one in force. Those of the command line are not among them: a
  // restart would not change these.
  std::vector<std::string> waiting(const ConfigLines& file) const;

 private:
  std::string path_;
  ConfigLines file_;
  std::set<std::string> of_command_line_;
};

}  // namespace cloister::apps
