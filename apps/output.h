// The only code of apps/ that writes to standard output and standard error. Text that others chose (error messages of a
// node, names, header values, addresses) is made safe for a terminal here (base/terminal_text.h), so that no command
// can forget it. tools/check_layers keeps other files of apps/ from printing.
#pragma once

#include <cstdio>
#include <string_view>

#include "base/json.h"

namespace cloister::apps {

// Prints one line and its end. Characters that act on a terminal are replaced. On a terminal, text that would pass the
// last column continues after a mark (QuotedText::kMark), so that no text of others begins a row.
void print_line(std::FILE* to, std::string_view line);
inline void say(std::string_view line) { print_line(stdout, line); }
// Prints "cloister WHO: MESSAGE" on standard error, with runs of blanks folded. The text after the message's first line
// break comes from others: it is printed on lines of its own, each with the mark.
void complain(std::string_view who, std::string_view message);

// Prints lines of this program's own that contain text of others which is already safe, such as a verdict. On a
// terminal they are broken as in print_line().
void print_text(std::FILE* to, std::string_view text);

// Prints one JSON value and a line end, in ASCII: valid JSON whatever the strings hold, and nothing that acts on a terminal.
void print_json(const Json& value);

// Prints bytes unchanged: for text of this program's own that is already safe, and for output that a user asked to have
// byte for byte.
void print_bytes(std::FILE* to, std::string_view bytes);

// Writes what was held back. False when anything that was printed to standard output so far could not be written: there
// is then no use in continuing. Where the reader of a pipe is gone, it ends the program silently, as SIGPIPE does.
bool flush_output();
// Called last, with the exit status of the command. When something could not be written, says so on standard error and
// turns success into kExitUsage.
int finish_output(int exit_status);
// Called first. Files opened later would get descriptors 0 to 2 if these are closed, and output would be written into
// those files. So this opens each closed descriptor in a way in which it cannot be used.
void hold_standard_streams();

bool is_terminal(std::FILE* file);
// 0 where the file is no terminal or its width is unknown.
unsigned terminal_columns(std::FILE* file);

}  // namespace cloister::apps
