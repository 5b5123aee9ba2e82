// Makes text that others chose safe for a terminal: error messages, names of models, header values, replies, fields of
// evidence. Printed unchanged, such text could move the cursor, change colours, reorder a line or begin a line of its
// own, and so fake a verdict. Every command prints such text through one of these functions (apps/output.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cloister {

// One line of printable ASCII. Every other byte becomes '?'.
std::string ascii_line(std::string_view text);

// One line of well-formed UTF-8. Malformed bytes become '?', and so does every character that acts on a terminal
// instead of being visible there: C0 and C1 control characters, line and paragraph separators, marks, embeddings,
// overrides and isolates of the bidirectional algorithm (UAX #9), byte order marks, interlinear annotations, and tags.
std::string terminal_line(std::string_view text);

// Replaces each run of blanks by one. Several blanks mean nothing in others' text, and can push what follows them to the beginning
// of a terminal's next row, where a line of this program would stand. Accepts any text; bytes that are not UTF-8 stay.
std::string fold_blanks(std::string_view text);

// Breaks lines where they would pass the last column. The lines are this program's own and contain text of others that is already
// safe. A line that a terminal breaks by itself would continue at the beginning of a row, like a line of this program; here the
// rest of a line begins with QuotedText::kMark instead. Colours ("ESC [ ... m") take no column. `columns` is as in QuotedText.
std::string wrap_lines(std::string_view text, std::uint32_t columns);

// True unless a locale in the environment (LC_ALL, LC_CTYPE, LANG: the first that is set) names another character set.
// In such a terminal the later bytes of a UTF-8 sequence can be C1 control characters.
bool terminal_reads_utf8();

// A text of several lines that arrives in pieces, as a reply does. Characters are replaced as in terminal_line(),
// except tabs and line breaks. Every line begins with kMark, so no line of the text can be mistaken for one of this
// program's. Lines are broken where they would pass the last column of the terminal, since a line that the terminal
// breaks continues without a mark.
class QuotedText {
 public:
  static constexpr std::string_view kMark = "| ";

  // `columns`: width of the terminal; 0 where the output is none. `utf8`: see terminal_reads_utf8().
  explicit QuotedText(std::uint32_t columns = 0, bool utf8 = true) : columns_(columns), utf8_(utf8) {}
  // What to print for the next piece. A piece ends between two characters.
  std::string feed(std::string_view piece);
  // Returns what ends the last line. A text without characters has no line.
  std::string finish();

 private:
  void put(std::string& out, std::string_view character, std::uint32_t width);

  const std::uint32_t columns_;
  const bool utf8_;
  bool in_line_ = false;
  bool after_cr_ = false;
  std::uint32_t column_ = 0;
};

}  // namespace cloister
