#include "apps/config_changes.h"

#include <utility>

namespace cloister::apps {
namespace {

// Absent where the option has no value.
const std::string* value_of(const ConfigLines& lines, const std::string& option) {
  const auto found = lines.find(option);
  return found == lines.end() ? nullptr : &found->second;
}

bool differ(const ConfigLines& a, const ConfigLines& b, const std::string& option) {
  const std::string *one = value_of(a, option), *other = value_of(b, option);
  return (one == nullptr) != (other == nullptr) || (one != nullptr && *one != *other);
}

std::set<std::string> differences(const ConfigLines& a, const ConfigLines& b) {
  std::set<std::string> out;
  for (const ConfigLines* lines : {&a, &b}) {
    for (const auto& [option, value] : *lines) {
      if (differ(a, b, option)) out.insert(option);
    }
  }
  return out;
}

}  // namespace

ConfigChanges::ConfigChanges(std::string path, ConfigLines file, const ConfigLines& in_force)
    : path_(std::move(path)), file_(std::move(file)), of_command_line_(differences(file_, in_force)) {}

void ConfigChanges::was_applied(const std::string& option, const ConfigLines& file) {
  if (const std::string* value = value_of(file, option)) file_.insert_or_assign(option, *value);
}

std::vector<std::string> ConfigChanges::waiting(const ConfigLines& file) const {
  std::vector<std::string> out;
  for (const std::string& option : differences(file_, file)) {
    if (!of_command_line_.contains(option)) out.push_back(option);
  }
  return out;
}

}  // namespace cloister::apps
