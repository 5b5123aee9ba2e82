#include "apps/usage_error.h"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <vector>

namespace cloister::apps {
namespace {

// Number of letters to insert, remove or change; two swapped neighbours count as one change.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = i + j;
        continue;
      }
      const std::size_t changed = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      table[i][j] = std::min({changed, table[i - 1][j] + 1, table[i][j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[a.size()][b.size()];
}

// " (did you mean WORD?)", or nothing when no known word is similar.
std::string suggestion(const std::string& word, const std::vector<std::string>& known, const std::string& before = "") {
  constexpr std::size_t kLongest = 64;  // no mistyped word is longer
  if (word.size() > kLongest) return "";
  const std::string* best = nullptr;
  std::size_t least = std::min<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& one : known) {
    const std::size_t changes = distance(word, one);
    if (changes < least) least = changes, best = &one;
  }
  return best == nullptr ? "" : " (did you mean " + before + *best + "?)";
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out.push_back(name);
  }
  for (const CLI::App* group : app.get_subcommands([](const CLI::App* each) { return each->get_name().empty(); })) {
    const std::vector<std::string> more = option_names(*group);
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); })) {
    out.push_back(command->get_name());
  }
  return out;
}

// The command that the words led to, and its full name.
const CLI::App& chosen(const CLI::App& app, std::string& name) {
  name = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return *at;
}

std::string unknown_word(const CLI::App& app, const std::string& word) {
  std::string name;
  const CLI::App& command = chosen(app, name);
  if (word.starts_with("--")) {
    const std::string plain = word.substr(2, word.find('=') - 2);
    return name + ": there is no option --" + plain + suggestion(plain, option_names(command), "--");
  }
  const std::vector<std::string> commands = command_names(command);
  if (!word.starts_with("-") && !commands.empty())
    return name + ": there is no command " + word + suggestion(word, commands);
  return name + ": " + word + " was not expected";
}

// Where `key` stands in the file, or the head of its section; 0 when it cannot be found.
std::size_t line_in(const std::string& file, const std::string& section, const std::string& key) {
  const auto trimmed = [](std::string text) {
    text.erase(0, std::min(text.find_first_not_of(" \t"), text.size()));
    return text.substr(0, text.find_first_of(" \t\r=#"));
  };
  std::ifstream lines(file);
  std::string here;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::string word = trimmed(line);
    if (word.starts_with("[")) {
      here = word.substr(1, word.find(']') - 1);
      if (key.empty() && here == section) return number;
    } else if (!key.empty() && word == key && (here == section || here + "." + word == section + "." + key)) {
      return number;
    }
  }
  return 0;
}

const CLI::App* find_command(const CLI::App& app, const std::string& dotted) {
  const CLI::App* at = &app;
  for (std::size_t begin = 0; begin < dotted.size();) {
    const std::size_t dot = std::min(dotted.find('.', begin), dotted.size());
    const std::string name = dotted.substr(begin, dot - begin);
    const auto found = at->get_subcommands([&name](const CLI::App* each) { return each->get_name() == name; });
    if (found.empty()) return nullptr;
    at = found.front();
    begin = dot + 1;
  }
  return at;
}

// CLI11 says "INI was not able to parse SECTION.KEY", and SECTION.++ where the section begins.
std::string unknown_in_file(const CLI::App& app, const std::string& file, const std::string& item) {
  const std::size_t dot = item.rfind('.');
  const std::string section = dot == std::string::npos ? "" : item.substr(0, dot);
  std::string key = dot == std::string::npos ? item : item.substr(dot + 1);
  if (key == "++" || key == "--") key.clear();
  const std::size_t line = line_in(file, section, key);
  const std::string where = file + (line == 0 ? "" : ", line " + std::to_string(line)) + ": ";
  const CLI::App* command = find_command(app, section);
  if (key.empty() || command == nullptr) {
    return where + "there is no section [" + section + "]" + suggestion(section, command_names(app)) +
           "; a section has the name of a command";
  }
  const std::vector<std::string> inner = command_names(*command);
  if (!inner.empty()) {
    return where + "[" + section + "] holds no options: name the whole command, as in [" +
           (section.empty() ? "" : section + ".") + inner.front() + "]";
  }
  return where + "there is no option " + key + " in [" + section + "]" + suggestion(key, option_names(*command));
}

}  // namespace

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  constexpr std::string_view kNotParsed = "INI was not able to parse ";
  const std::string words = error.what();
  const CLI::Option* config = app.get_config_ptr();
  // The words as given: as<>() checks them, and throws for a file that does not exist.
  const std::string file = config != nullptr && config->count() > 0 ? config->results().back() : "";
  if (dynamic_cast<const CLI::ConfigError*>(&error) != nullptr) {
    if (words.starts_with(kNotParsed)) return unknown_in_file(app, file, words.substr(kNotParsed.size()));
    return file + ": " + words;
  }
  const bool extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
                     dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  const std::vector<std::string> left = app.remaining(true);
  if (extra && !left.empty()) return unknown_word(app, left.front());
  return words;
}

}  // namespace cloister::apps
