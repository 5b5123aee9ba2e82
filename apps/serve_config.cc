#include "apps/serve_config.h"

#include <algorithm>
#include <vector>

#include "apps/commands.h"
#include "apps/config_file.h"
#include "apps/usage_error.h"

namespace cloister::apps {

Result<void> read_serve_config(const std::string& path, ServeOptions& options) {
  CLI::App app("cloister");
  try {
    app.config_formatter(toml_config());
    app.set_config("--config")->check(toml_file());
    // The mode applies to the whole file: CLI11 has none for a section. The other commands are added so that their
    // sections are known; no command is run.
    app.allow_config_extras(CLI::config_extras_mode::error);
    int unused = 0;
    add_verify_command(app, unused);
    add_chat_command(app, unused);
    add_doctor_command(app, unused);
    bind_serve_options(*app.add_subcommand("serve"), options);
    app.parse(std::vector<std::string>{"serve", path, "--config"});  // CLI11 takes the last one first
    return {};
  } catch (const CLI::Error& error) {
    const auto* parse = dynamic_cast<const CLI::ParseError*>(&error);
    std::string words = parse != nullptr ? usage_message(app, *parse) : error.what();
    std::ranges::replace(words, '\n', ' ');
    return fail(ErrorCode::kUsage, words);
  }
}

std::string serve_config_text(const CLI::App& command) {
  std::string out = "[serve]\n";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_configurable() || option->get_lnames().empty()) continue;
    std::vector<std::string> values = option->count() > 0 ? option->reduced_results() : std::vector<std::string>();
    if (values.empty() && option->get_expected_max() == 0) values = {"false"};
    if (values.empty() && !option->get_default_str().empty()) values = {option->get_default_str()};
    // An option without a value gets no line, since the option does not accept an empty text.
    if (values.empty() || values == std::vector<std::string>{""}) continue;
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "" : ", ") + toml_value(value);
    out += option->get_lnames().front() + "=" + (values.size() == 1 ? list : "[" + list + "]") + "\n";
  }
  return out;
}

}  // namespace cloister::apps
