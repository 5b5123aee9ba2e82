#include "serve/compose_image.h"

#include <algorithm>

#include "evidence/json_reader.h"

namespace cloister::serve {
namespace {

struct Line {
  std::size_t indent = 0;
  std::string_view key, value;   // of "key: value"; both empty for other lines
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r' || text.back() == '\t')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

Line read_line(std::string_view text) {
  Line line;
  line.indent = std::min(text.find_first_not_of(' '), text.size());
  text = trimmed(text);
  const std::size_t colon = text.find(':');
  if (text.empty() || text.front() == '#' || text.front() == '-' || colon == std::string_view::npos) return line;
  line.key = trimmed(text.substr(0, colon));
  line.value = trimmed(text.substr(colon + 1));
  return line;
}

std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::optional<PinnedImage> read_reference(std::string_view value) {
  value = unquoted(value);
  const std::size_t at = value.find('@');
  if (at == std::string_view::npos || !evidence::parse_digest(value.substr(at + 1))) return std::nullopt;
  return PinnedImage{std::string(value), std::string(value.substr(at + 1))};
}

}  // namespace

std::optional<PinnedImage> pinned_image(std::string_view text, std::string_view service) {
  bool in_services = false;
  constexpr std::size_t kOutside = std::string_view::npos;
  std::size_t inside = kOutside;   // the indent of the service's own line
  std::optional<PinnedImage> found;
  bool seen = false, image_seen = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view raw = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (trimmed(raw).empty()) continue;
    const Line line = read_line(raw);
    if (inside != kOutside && line.indent <= inside && !line.key.empty()) inside = kOutside;
    if (line.indent == 0 && !line.key.empty()) in_services = line.key == "services";
    if (!in_services) continue;
    if (inside == kOutside && line.indent > 0 && unquoted(line.key) == service && line.value.empty()) {
      if (seen) return std::nullopt;
      seen = true;
      inside = line.indent;
    } else if (inside != kOutside && line.key == "image") {
      if (image_seen) return std::nullopt;
      image_seen = true;
      found = read_reference(line.value);
    }
  }
  return found;
}

}  // namespace cloister::serve
