#include "apps/config_file.h"

#include <charconv>
#include <cstdint>
#include <iterator>
#include <memory>
#include <set>
#include <string>

#include "base/file.h"
#include "verify/policy/toml_syntax.h"

namespace cloister::apps {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;

// What is wrong with the file; "" when nothing is.
std::string objection(const std::string& path) {
  if (std::string missing = CLI::ExistingFile(path); !missing.empty()) return missing;
  const Result<std::string> text = read_regular_file(path, kMostBytes);
  if (!text) return text.error().message;
  const auto entries = verify::read_toml_entries(*text);
  const auto* fault = std::get_if<verify::TomlFault>(&entries);
  return fault != nullptr ? path + ", line " + std::to_string(fault->line) + ": " + fault->message : "";
}

class TomlConfig : public CLI::ConfigTOML {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    const std::string text{std::istreambuf_iterator<char>(input), {}};
    const auto read = verify::read_toml_entries(text);
    if (const auto* fault = std::get_if<verify::TomlFault>(&read)) {
      throw CLI::ConfigError("line " + std::to_string(fault->line) + ": " + fault->message);
    }
    std::vector<CLI::ConfigItem> out;
    for (const verify::TomlEntry& entry : std::get<std::vector<verify::TomlEntry>>(read)) {
      CLI::ConfigItem item;
      item.parents = entry.tables;
      item.name = entry.name.empty()
                      ? "++"
                      : entry.name;  // the option parser's own reader gives the beginning of a section this name
      item.inputs = entry.values;
      if (entry.is_boolean) booleans_.insert(item.fullname());
      out.push_back(std::move(item));
    }
    return out;
  }

  std::string to_flag(const CLI::ConfigItem& item) const override {
    if (booleans_.contains(item.fullname())) return CLI::ConfigTOML::to_flag(item);
    throw CLI::ConversionError(item.fullname() + " takes true or false");
  }

 private:
  mutable std::set<std::string>
      booleans_;  // in the file that was read last: from_config() is const in the option parser's interface
};

// True for a whole number that is written back as the same text.
bool is_number(const std::string& value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc() && end == value.data() + value.size() && std::to_string(number) == value;
}

}  // namespace

CLI::Validator toml_file() {
  return CLI::Validator([](std::string& path) { return objection(path); }, "FILE");
}

void accept_config_file(CLI::App& app) {
  app.config_formatter(std::make_shared<TomlConfig>());
  app.set_config("--config", "",
                 "TOML file with a section for each command; options have the names shown here, without the dashes")
      ->check(toml_file())
      ->option_text("FILE");
  // The mode applies to the whole file: CLI11 has none for a section.
  app.allow_config_extras(CLI::config_extras_mode::error);
}

std::string toml_value(const std::string& value) {
  if (value == "true" || value == "false" || is_number(value)) return value;
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace cloister::apps
