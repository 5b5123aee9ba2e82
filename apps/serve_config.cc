#include "apps/serve_config.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "apps/commands.h"
#include "apps/config_file.h"
#include "apps/serve_options.h"
#include "apps/usage_error.h"
#include "config/option.h"

namespace cloister::apps {

Result<ConfigLines> read_serve_config(const std::string& path, config::ServeOptions& options) {
  CLI::App app("cloister");
  try {
    accept_config_file(app);
    CLI::App* serve = app.add_subcommand("serve");
    bind_serve_options(*serve, options);
    // The other commands are added so that their sections are known; no command is run.
    int unused = 0;
    add_other_commands(app, unused);
    app.parse(std::vector<std::string>{"serve", path, "--config"});  // CLI11 takes them last first
    ConfigLines lines = serve_config_lines(*serve);
    // A file without the option leaves its value to the node, where an earlier file or the command line may have set it.
    for (const config::Option& row : config::serve_option_table()) {
      if (row.on_sighup != config::OnSighup::kValue) continue;
      const std::string name(row.name);
      if (serve->get_option("--" + name)->count() == 0) lines.erase(name);
    }
    return lines;
  } catch (const CLI::Error& error) {
    const auto* parse = dynamic_cast<const CLI::ParseError*>(&error);
    std::string words = parse != nullptr ? usage_message(app, *parse) : error.what();
    std::ranges::replace(words, '\n', ' ');
    return fail(ErrorCode::kUsage, words);
  }
}

namespace {

// Absent where the option has no value: an empty text is not one that the option takes.
std::optional<std::string> config_value(const CLI::Option& option) {
  std::vector<std::string> values = option.count() > 0 ? option.reduced_results() : std::vector<std::string>();
  if (values.empty() && option.get_expected_max() == 0) values = {"false"};
  if (values.empty() && !option.get_default_str().empty()) values = {option.get_default_str()};
  if (values.empty() || values == std::vector<std::string>{""}) return std::nullopt;
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + toml_value(value);
  return values.size() == 1 ? list : "[" + list + "]";
}

// In the order of --help.
std::vector<std::pair<std::string, std::string>> ordered_lines(const CLI::App& command) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_configurable() || option->get_lnames().empty()) continue;
    if (std::optional<std::string> value = config_value(*option))
      out.emplace_back(option->get_lnames().front(), *std::move(value));
  }
  return out;
}

}  // namespace

ConfigLines serve_config_lines(const CLI::App& command) {
  const auto lines = ordered_lines(command);
  return {lines.begin(), lines.end()};
}

std::string serve_config_text(const CLI::App& command) {
  std::string out = "[serve]\n";
  for (const auto& [option, value] : ordered_lines(command)) out += option + "=" + value + "\n";
  return out;
}

}  // namespace cloister::apps
