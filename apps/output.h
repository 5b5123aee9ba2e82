// The only place of apps/ that writes to standard output and standard error. What others chose (error messages of a
// node, names, header values, addresses) is made fit for a terminal here (base/terminal_text.h), so that no command can
// forget to. tools/check_layers keeps other files of apps/ from printing.
#pragma once

#include <cstdio>
#include <string_view>

#include "base/json.h"

namespace cloister::apps {

// One line and its end. Characters that act on a terminal are replaced, and on a terminal what would pass its last column
// goes on behind a mark (QuotedText::kMark): no words of others begin a row.
void print_line(std::FILE* to, std::string_view line);
inline void say(std::string_view line) { print_line(stdout, line); }
// "cloister WHO: MESSAGE" on standard error, runs of blanks folded. What stands behind the first line break of the message
// are words of others: these are printed on lines of their own, each with the mark.
void complain(std::string_view who, std::string_view message);

// Lines of this program's own making with words of others in them that have been made fit already, as of a verdict. On a
// terminal they are broken as by print_line().
void print_text(std::FILE* to, std::string_view text);

// One JSON value and a line end, in ASCII: valid JSON whatever the strings hold, and nothing that acts on a terminal.
void print_json(const Json& value);

// Bytes as they are. For text of this program's own making that has been made fit already, and for what a user asked to
// have byte for byte.
void print_bytes(std::FILE* to, std::string_view bytes);

// Writes what was held back. False when anything that was printed to standard output so far could not be written: then
// there is no use in going on. Where the reader of a pipe is gone, it ends the program as SIGPIPE does, without a word.
bool flush_output();
// To be called last, with the exit status of the command. When something could not be written, says so on standard error
// and turns success into kExitUsage.
int finish_output(int exit_status);
// To be called first. Descriptors 0 to 2 that are closed would be taken by the next files that are opened, and what is
// printed would be written into these: opens each in a way in which it cannot be used.
void hold_standard_streams();

bool is_terminal(std::FILE* file);
// 0 where the file is no terminal or its width is unknown.
unsigned terminal_columns(std::FILE* file);

}  // namespace cloister::apps
