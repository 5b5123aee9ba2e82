// Text for a terminal. For any input, no byte acts on the terminal, a line stays one line, and every line of a
// quotation is marked. A second pass changes nothing.
#include <algorithm>

#include "base/terminal_text.h"
#include "fuzz.h"

namespace {

bool acts(char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 0x7f; }

}  // namespace

FUZZ_TARGET(input) {
  using namespace cloister;
  const std::string_view text = as_text(input);
  const std::string line = terminal_line(text);
  FUZZ_CHECK(std::none_of(line.begin(), line.end(), [](char c) { return acts(c) || c == '\n' || c == '\t'; }));
  FUZZ_CHECK(terminal_line(line) == line);
  FUZZ_CHECK(line.find("\xc2\x9b") == std::string::npos && line.find("\xe2\x80\xae") == std::string::npos);
  FUZZ_CHECK(ascii_line(text).size() == text.size());
  for (const std::uint32_t columns : {0u, 20u}) {
    QuotedText quoted(columns);
    std::string out = quoted.feed(text);
    out += quoted.finish();
    FUZZ_CHECK(std::none_of(out.begin(), out.end(), acts));
    FUZZ_CHECK(out.empty() || out.ends_with('\n'));
    for (std::string_view rest = out; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
      FUZZ_CHECK(rest.starts_with(QuotedText::kMark));
  }
}
