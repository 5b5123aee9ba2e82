// Text that others chose, made fit for a terminal: error messages, names of models, header values, replies, fields of
// evidence. Printed as it comes, such text could move the cursor, change colours, reorder what stands on a line or begin
// a line of its own, and so paint a verdict. Every command prints such text through one of these (apps/output.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cloister {

// One line of printable ASCII. Every other byte becomes '?'.
std::string ascii_line(std::string_view text);

// One line of well-formed UTF-8. What is malformed and every character that acts on a terminal instead of being seen
// there becomes '?': C0 and C1 control characters, line and paragraph separators, marks, embeddings, overrides and
// isolates of the bidirectional algorithm (UAX #9), byte order marks, interlinear annotations, and tags.
std::string terminal_line(std::string_view text);

// Runs of blanks become one. Blanks in a row have no meaning in words of others, and can push what stands behind them to
// the beginning of a terminal's next row, where a line of this program would stand. Any text; what is no UTF-8 stays.
std::string fold_blanks(std::string_view text);

// Lines of this program's own making with words of others in them, made fit already, broken where they would pass the
// last column: what a terminal breaks by itself goes on at the beginning of a row, like a line of this program's. What
// goes on begins with QuotedText::kMark instead. Colours ("ESC [ ... m") take no column. `columns` as of QuotedText.
std::string wrap_lines(std::string_view text, std::uint32_t columns);

// True unless a locale in the environment (LC_ALL, LC_CTYPE, LANG: the first that is set) names another character set.
// In such a terminal the later bytes of a UTF-8 sequence can be C1 control characters.
bool terminal_reads_utf8();

// A text of several lines that comes in pieces, as a reply does. Characters are replaced as terminal_line() does, but for
// tabs and line breaks, and every line begins with kMark: so no line of the text can be taken for one of this program's.
// Lines are broken where they would pass the last column of the terminal, for a line that the terminal breaks goes on
// without a mark.
class QuotedText {
 public:
  static constexpr std::string_view kMark = "| ";

  // `columns`: of the terminal; 0 where the output is none. `utf8`: see terminal_reads_utf8().
  explicit QuotedText(std::uint32_t columns = 0, bool utf8 = true) : columns_(columns), utf8_(utf8) {}
  // What to print for the next piece. A piece ends between two characters.
  std::string feed(std::string_view piece);
  // What ends the last line. A text of no characters has no line.
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
