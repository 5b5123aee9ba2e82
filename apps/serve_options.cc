#include "apps/serve_options.h"

#include <string>
#include <type_traits>
#include <vector>

#include "apps/numbers.h"
#include "config/option.h"

namespace cloister::apps {
namespace {

using config::Option;
using config::Values;

std::vector<std::string> texts(std::string_view words) {
  const std::vector<std::string_view> views = config::words_of(words);
  return {views.begin(), views.end()};
}

void add_check(CLI::Option& option, const Values& values) {
  const Zero zero = values.zero_too ? Zero::kToo : Zero::kAsTheRange;
  switch (values.kind) {
    case Values::Kind::kAny: return;
    case Values::Kind::kWord: option.check(CLI::IsMember(texts(values.words))); return;
    case Values::Kind::kWholeNumber:
      option.check(
          whole_number_in(static_cast<std::int64_t>(values.low), static_cast<std::int64_t>(values.high), zero));
      return;
    case Values::Kind::kNumber: option.check(number_in(values.low, values.high, zero)); return;
    case Values::Kind::kSize:
      const std::vector<std::string> ends = texts(values.words);
      option.check(size_in(ends.front(), ends.back()));
      return;
  }
}

CLI::Option* bind_option(CLI::App& command, const Option& row, config::ServeOptions& options) {
  const std::string name = "--" + std::string(row.name), help(row.help);
  CLI::Option* option = std::visit(
      [&](auto member) {
        auto& value = options.*member;
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, bool>) return command.add_flag(name, value, help);
        CLI::Option* added = command.add_option(name, value, help);
        // The default of a list is none, which the parser would show as a text.
        if constexpr (!std::is_same_v<Value, std::vector<std::string>>) added->capture_default_str();
        return added;
      },
      row.member);
  add_check(*option, row.values);
  if (!row.needs.empty()) option->needs(command.get_option("--" + std::string(row.needs)));
  return option;
}

std::string is_given(std::string& text) { return text.empty() ? "must not be empty" : ""; }

}  // namespace

void bind_serve_options(CLI::App& command, config::ServeOptions& options) {
  for (const Option& row : config::serve_option_table()) {
    CLI::Option* option = bind_option(command, row, options);
    // An empty text would count as an option that was not given, and so leave out what the option protects.
    if (option->get_items_expected_max() > 0) option->check(CLI::Validator(is_given, "", "not empty"));
  }
}

void bind_model_options(CLI::App& command, config::ServeOptions& options) {
  for (const Option& row : config::serve_option_table()) {
    if (row.of_model) bind_option(command, row, options);
  }
}

}  // namespace cloister::apps
