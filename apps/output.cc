#include "apps/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <string>

#include "base/terminal_text.h"

namespace cloister::apps {

void print_line(std::FILE* to, std::string_view line) {
  static const bool utf8 = terminal_reads_utf8();
  print_bytes(to, (utf8 ? terminal_line(line) : ascii_line(line)) + "\n");
}

void complain(std::string_view who, std::string_view message) {
  print_line(stderr, "cloister " + std::string(who) + ": " + std::string(message));
}

void print_json(const Json& value) {
  print_bytes(stdout, value.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n");
}

void print_bytes(std::FILE* to, std::string_view bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), to);
}

bool is_terminal(std::FILE* file) { return ::isatty(::fileno(file)) == 1; }

unsigned terminal_columns(std::FILE* file) {
  winsize size{};
  return is_terminal(file) && ::ioctl(::fileno(file), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace cloister::apps
