#include "base/terminal_text.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace cloister {
namespace {

constexpr char kReplacement = '?';
constexpr std::uint32_t kTabWidth = 8;

struct Character {
  std::uint32_t code = 0;
  std::size_t size = 1;
  bool valid = false;
};

// The first character of `text`, which is not empty (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  std::uint32_t code = lead & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  const bool shortest = size == 2 || (size == 3 && code >= 0x800) || (size == 4 && code >= 0x10000);
  if (!shortest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, size, true};
}

// True when a terminal shows the character and does nothing else with it.
bool is_shown(std::uint32_t code) {
  const auto in = [code](std::uint32_t first, std::uint32_t last) { return code >= first && code <= last; };
  if (code < 0x20 || in(0x7f, 0x9f)) return false;  // C0, DEL, C1
  if (code < 0x600) return true;
  return !(code == 0x61c || in(0x200e, 0x200f) ||   // Arabic letter mark, left-to-right and right-to-left marks
           in(0x2028, 0x202e) ||                    // separators, embeddings, overrides
           in(0x2060, 0x206f) ||                    // isolates and other invisible format characters
           code == 0xfeff || in(0xfff9, 0xfffb) ||  // byte order mark, annotations
           in(0xe0000, 0xe0fff));                   // tags, further variation selectors
}

// An upper bound for the columns that a terminal gives the character.
std::uint32_t most_columns(std::uint32_t code) { return code < 0x1100 ? 1 : 2; }

// True when a terminal shows nothing there: spaces of all widths, fillers and the empty Braille pattern.
bool is_blank(std::uint32_t code) {
  return code == ' ' || code == '\t' || code == 0xa0 || code == 0x115f || code == 0x1160 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200b) || code == 0x202f || code == 0x205f || code == 0x2800 || code == 0x3000 ||
         code == 0x3164 || code == 0xffa0;
}

// The length of the colour sequence that `text` begins with; 0 where it begins with none.
std::size_t colour_size(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

// Lines on narrower terminals are not broken.
bool can_wrap(std::uint32_t columns) { return columns > 2 * kTabWidth; }

template <typename Visit>
void each_character(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const Character character = first_character(text);
    visit(character, text.substr(0, character.size));
    text.remove_prefix(character.size);
  }
}

bool names_utf8(std::string_view locale) {
  const std::size_t dot = locale.find('.');
  if (dot == std::string_view::npos) return true;  // "C", "POSIX", "de_DE": today's terminals read UTF-8
  std::string set;
  for (const char c : locale.substr(dot + 1, locale.find('@') - dot - 1)) {
    if (c != '-') set += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return set == "utf8";
}

}  // namespace

std::string ascii_line(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, kReplacement);
  return out;
}

std::string terminal_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  each_character(text, [&](const Character& character, std::string_view bytes) {
    if (character.valid && is_shown(character.code)) {
      out += bytes;
    } else {
      out += kReplacement;
    }
  });
  return out;
}

std::string fold_blanks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool after_blank = false;
  each_character(text, [&](const Character& character, std::string_view bytes) {
    const bool blank = character.valid && is_blank(character.code);
    if (!blank) {
      out += bytes;
    } else if (!after_blank) {
      out += ' ';
    }
    after_blank = blank;
  });
  return out;
}

std::string wrap_lines(std::string_view text, std::uint32_t columns) {
  if (!can_wrap(columns)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  std::uint32_t column = 0;
  while (!text.empty()) {
    if (const std::size_t colour = colour_size(text)) {
      out += text.substr(0, colour);
      text.remove_prefix(colour);
      continue;
    }
    const Character character = first_character(text);
    const std::uint32_t width = character.valid ? most_columns(character.code) : 1;
    if (text.front() == '\n') {
      column = 0;
    } else if (column + width > columns) {
      out.append("\n").append(QuotedText::kMark);
      column = static_cast<std::uint32_t>(QuotedText::kMark.size()) + width;
    } else {
      column += width;
    }
    out += text.substr(0, character.size);
    text.remove_prefix(character.size);
  }
  return out;
}

bool terminal_reads_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return names_utf8(value);
  }
  return true;
}

void QuotedText::put(std::string& out, std::string_view character, std::uint32_t width) {
  if (in_line_ && can_wrap(columns_) && column_ + width > columns_) {
    out += '\n';
    in_line_ = false;
  }
  if (!in_line_) {
    out += kMark;
    column_ = static_cast<std::uint32_t>(kMark.size());
    in_line_ = true;
  }
  out += character;
  column_ += width;
}

std::string QuotedText::feed(std::string_view piece) {
  constexpr std::string_view kReplaced(&kReplacement, 1);
  std::string out;
  each_character(piece, [&](const Character& character, std::string_view bytes) {
    const std::uint32_t code = character.valid ? character.code : 0;
    if (after_cr_ && code != '\n') put(out, kReplaced, 1);  // a return without a line feed would overwrite the line
    after_cr_ = code == '\r';
    if (after_cr_) return;
    if (code == '\n') {
      if (!in_line_) put(out, "", 0);
      out += '\n';
      in_line_ = false;
    } else if (code == '\t') {
      put(out, bytes, kTabWidth);
    } else if (is_shown(code) && (code < 0x80 || utf8_)) {
      put(out, bytes, most_columns(code));
    } else {
      put(out, kReplaced, 1);
    }
  });
  return out;
}

std::string QuotedText::finish() {
  std::string out;
  if (after_cr_) put(out, std::string_view(&kReplacement, 1), 1);
  after_cr_ = false;
  if (in_line_) out += '\n';
  in_line_ = false;
  return out;
}

}  // namespace cloister
