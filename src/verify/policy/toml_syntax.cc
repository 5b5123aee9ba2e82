#include "verify/policy/toml_syntax.h"

#include <toml++/toml.h>

#include <array>
#include <charconv>

#include "verify/policy/toml_nesting.h"

namespace cloister::verify {
namespace {

class Flattener {
 public:
  // Absent when everything was accepted.
  std::optional<TomlFault> take(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (const toml::table* inner = node.as_table()) {
        tables_.push_back(name);
        entries_.push_back({tables_, "", {}, false, node.source().begin.line});
        if (auto fault = take(*inner)) return fault;
        tables_.pop_back();
        continue;
      }
      TomlEntry entry{tables_, name, {}, node.is_boolean(), node.source().begin.line};
      if (const toml::array* elements = node.as_array()) {
        for (const toml::node& element : *elements) {
          if (auto fault = add(element, name, entry.values)) return fault;
        }
      } else if (auto fault = add(node, name, entry.values)) {
        return fault;
      }
      entries_.push_back(std::move(entry));
    }
    return std::nullopt;
  }

  std::vector<TomlEntry> entries() && { return std::move(entries_); }

 private:
  static std::optional<TomlFault> add(const toml::node& node, const std::string& name,
                                      std::vector<std::string>& values) {
    if (const auto text = node.value_exact<std::string>()) {
      values.push_back(*text);
    } else if (const auto flag = node.value_exact<bool>()) {
      values.emplace_back(*flag ? "true" : "false");
    } else if (const auto number = node.value_exact<std::int64_t>()) {
      values.push_back(std::to_string(*number));
    } else if (const auto fraction = node.value_exact<double>()) {
      std::array<char, 32> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *fraction);
      values.emplace_back(digits.data(), end.ptr);
    } else {
      return TomlFault{node.source().begin.line,
                       "'" + name.substr(0, 64) + "' takes a text, a number, true or false, or a list of these"};
    }
    return std::nullopt;
  }

  std::vector<std::string> tables_;
  std::vector<TomlEntry> entries_;
};

}  // namespace

std::variant<std::vector<TomlEntry>, TomlFault> read_toml_entries(std::string_view text) {
  if (const auto line = find_deep_line(text)) {
    return TomlFault{*line, "more than " + std::to_string(kMostTomlLevels) + " levels of tables and lists"};
  }
  // The library reports bad syntax only by an exception.
  try {
    Flattener flattener;
    const toml::table table = toml::parse(text);
    if (auto fault = flattener.take(table)) return *std::move(fault);
    return std::move(flattener).entries();
  } catch (const toml::parse_error& error) {
    return TomlFault{error.source().begin.line, std::string(error.description())};
  }
}

}  // namespace cloister::verify
