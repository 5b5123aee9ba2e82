#include "verify/boot/compose.h"

#include <algorithm>

#include "codec/json.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostBytes = 1u << 20;
constexpr std::size_t kMostListed = 32;
constexpr std::size_t kMostShown = 120;
constexpr std::string_view kDigest = "@sha256:";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

// Where the value of `key` begins in `line`, at or after `from`; npos when the key does not occur as one.
std::size_t find_value(std::string_view line, std::string_view key, std::size_t from) {
  for (std::size_t at = line.find(key, from); at != std::string_view::npos; at = line.find(key, at + 1)) {
    if (at > 0 && is_word(line[at - 1])) continue;
    std::size_t end = at + key.size();
    if (end < line.size() && (line[end] == '"' || line[end] == '\'')) ++end;
    while (end < line.size() && is_space(line[end])) ++end;
    if (end < line.size() && line[end] == ':') return end + 1;
  }
  return std::string_view::npos;
}

// The scalar at the front of `text`: to the closing quote, or to the end of a plain one in flow or block style.
std::string_view take_scalar(std::string_view text) {
  text = trim(text);
  if (text.starts_with('"') || text.starts_with('\'')) {
    const std::size_t end = text.find(text.front(), 1);
    return end == std::string_view::npos ? std::string_view() : text.substr(1, end - 1);
  }
  const std::size_t comment = text.find(" #");
  return trim(text.substr(0, std::min(comment, text.find_first_of(",}]"))));
}

bool is_pinned(std::string_view image) {
  const std::size_t at = image.find(kDigest);
  if (at == std::string_view::npos || at == 0) return false;
  const std::string_view name = image.substr(0, at);
  const std::string_view hex = image.substr(at + kDigest.size());
  const auto name_character = [](char c) { return is_word(c) || c == '/' || c == ':'; };
  return std::all_of(name.begin(), name.end(), name_character) && hex.size() == 64 &&
         std::all_of(hex.begin(), hex.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Line breaks of YAML 1.1 that this reader does not split at.
bool has_odd_break(std::string_view line) {
  for (const std::string_view sign : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    if (line.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

// `*name :`, an alias in the place of a key.
bool has_alias_key(std::string_view line) {
  for (std::size_t at = line.find('*'); at != std::string_view::npos; at = line.find('*', at + 1)) {
    std::size_t end = at + 1;
    while (end < line.size() && is_word(line[end])) ++end;
    if (end > at + 1 && trim(line.substr(end)).starts_with(':')) return true;
  }
  return false;
}

// Ways of writing YAML in which this reader could overlook a key.
bool may_hide_a_key(std::string_view line) {
  if (has_alias_key(line)) return true;
  if (trim(line).starts_with("? ") || trim(line) == "?") return true;      // explicit key
  const auto quotes = std::count(line.begin(), line.end(), '"');
  if (line.ends_with('\\') && quotes % 2 != 0) return true;                // a quoted text goes on in the next line
  // A quoted key with an escape: "\x69mage":
  for (std::size_t at = line.find('"'); at != std::string_view::npos;) {
    const std::size_t end = line.find('"', at + 1);
    if (end == std::string_view::npos) return false;
    const bool is_key = trim(line.substr(end + 1)).starts_with(':');
    if (is_key && line.substr(at, end - at).find('\\') != std::string_view::npos) return true;
    at = line.find('"', end + 1);
  }
  return false;
}

// `type: image` of a volume, whose source is an image.
bool is_image_volume(std::string_view line) {
  for (std::size_t at = find_value(line, "type", 0); at != std::string_view::npos; at = find_value(line, "type", at)) {
    if (take_scalar(line.substr(at)) == "image") return true;
  }
  return false;
}

class Scanner {
 public:
  void line(std::string_view text) {
    ++number_;
    const std::string_view trimmed = trim(text);
    if (has_odd_break(text)) return complain(trimmed);
    if (trimmed.starts_with('#')) return;
    for (std::size_t at = find_value(text, "image", 0); at != std::string_view::npos;
         at = find_value(text, "image", at)) {
      if (is_pinned(take_scalar(text.substr(at)))) {
        ++out_.pinned;
      } else {
        complain(trimmed);
      }
    }
    // What comes from elsewhere: a build, another file, another service's definition, the content of an image as a volume.
    const bool other_source = find_value(text, "build", 0) != std::string_view::npos ||
                              find_value(text, "include", 0) != std::string_view::npos ||
                              find_value(text, "extends", 0) != std::string_view::npos || is_image_volume(text);
    if (other_source || may_hide_a_key(text)) complain(trimmed);
  }

  ComposeImages take() { return std::move(out_); }

 private:
  void complain(std::string_view line) {
    if (out_.loose.size() == kMostListed) return;
    out_.loose.push_back("line " + std::to_string(number_) + ": " + std::string(line.substr(0, kMostShown)));
  }

  ComposeImages out_;
  std::size_t number_ = 0;
};

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool holds(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && !found->is_null() && *found != "" && !(found->is_array() && found->empty());
}

}  // namespace

ComposeImages scan_compose_images(std::string_view docker_compose_file) {
  Scanner scanner;
  while (!docker_compose_file.empty()) {
    const std::size_t end = std::min(docker_compose_file.find_first_of("\r\n"), docker_compose_file.size());
    scanner.line(docker_compose_file.substr(0, end));
    docker_compose_file.remove_prefix(std::min(end + 1, docker_compose_file.size()));
  }
  return scanner.take();
}

Result<AppCompose> parse_app_compose(std::string_view text) {
  const auto bad = [](const std::string& what) { return fail(ErrorCode::kBadReport, "app_compose: " + what); };
  const Result<Json> object = codec::parse_json(text, {kMostBytes, 32, 1u << 16});
  if (!object) return bad(object.error().message);
  if (!object->is_object()) return bad(std::string("expected an object, found ") + object->type_name());
  AppCompose out;
  out.name = text_of(*object, "name");
  out.runner = text_of(*object, "runner");
  out.docker_compose_file = text_of(*object, "docker_compose_file");
  out.pre_launch_script = holds(*object, "pre_launch_script");
  out.init_script = holds(*object, "init_script");
  out.bash_script = holds(*object, "bash_script");
  if (const auto envs = object->find("allowed_envs"); envs != object->end() && envs->is_array()) {
    for (const Json& name : *envs) {
      if (name.is_string()) out.allowed_envs.push_back(name.get<std::string>());
    }
  }
  return out;
}

}  // namespace cloister::verify
