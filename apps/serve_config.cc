#include "apps/serve_config.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "apps/commands.h"
#include "apps/config_file.h"
#include "apps/usage_error.h"

namespace cloister::apps {

Result<void> read_serve_config(const std::string& path, ServeOptions& options) {
  CLI::App app("cloister");
  try {
    app.set_config("--config")->check(toml_file());
    // The mode holds for the whole file: CLI11 has none for a section. The other commands are added so that their sections are known; no
    // command is run.
    app.allow_config_extras(CLI::config_extras_mode::error);
    int unused = 0;
    add_verify_command(app, unused);
    add_chat_command(app, unused);
    add_doctor_command(app, unused);
    bind_serve_options(*app.add_subcommand("serve"), options);
    app.parse(std::vector<std::string>{"serve", path, "--config"});  // CLI11 takes them last first
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
  std::istringstream lines(command.config_to_str(true));
  for (std::string line; std::getline(lines, line);) {
    // What has no value has no line: an empty text is not one that the option takes.
    if (!line.empty() && !line.ends_with("=\"\"")) out += line + "\n";
  }
  return out;
}

}  // namespace cloister::apps
