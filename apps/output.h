// The only place of apps/ that writes to standard output and standard error. What others chose (error messages of a
// node, names, header values, addresses) is made fit for a terminal here (base/terminal_text.h), so that no command can
// forget to. tools/check_layers keeps other files of apps/ from printing.
#pragma once

#include <cstdio>
#include <string_view>

#include "base/json.h"

namespace cloister::apps {

// One line and its end. Characters that act on a terminal are replaced.
void print_line(std::FILE* to, std::string_view line);
inline void say(std::string_view line) { print_line(stdout, line); }
// "cloister WHO: MESSAGE" on standard error.
void complain(std::string_view who, std::string_view message);

// One JSON value and a line end, in ASCII: valid JSON whatever the strings hold, and nothing that acts on a terminal.
void print_json(const Json& value);

// Bytes as they are. For text of this program's own making that has been made fit already, and for what a user asked to
// have byte for byte.
void print_bytes(std::FILE* to, std::string_view bytes);

bool is_terminal(std::FILE* file);
// 0 where the file is no terminal or its width is unknown.
unsigned terminal_columns(std::FILE* file);

}  // namespace cloister::apps
