#include "apps/output.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "apps/commands.h"
#include "base/terminal_text.h"

namespace cloister::apps {
namespace {

bool reads_utf8() {
  static const bool utf8 = terminal_reads_utf8();
  return utf8;
}

std::string fit_line(std::string_view line) { return reads_utf8() ? terminal_line(line) : ascii_line(line); }

// The errno of the first write to standard output that failed; 0 while none has failed. Commands print from one thread.
int g_failure = 0;

void check(std::FILE* to, bool written) {
  if (!written && to == stdout && g_failure == 0) g_failure = errno != 0 ? errno : EIO;
}

void end_without_reader() {
  if (g_failure != EPIPE) return;
  ::signal(SIGPIPE, SIG_DFL);
  ::raise(SIGPIPE);
}

}  // namespace

void print_line(std::FILE* to, std::string_view line) { print_text(to, fit_line(line) + "\n"); }

void complain(std::string_view who, std::string_view message) {
  const std::size_t end = std::min(message.find('\n'), message.size());
  print_line(stderr, fold_blanks("cloister " + std::string(who) + ": " + std::string(message.substr(0, end))));
  if (end == message.size()) return;
  QuotedText quoted(terminal_columns(stderr), reads_utf8());
  print_bytes(stderr, quoted.feed(fold_blanks(message.substr(end + 1))));
  print_bytes(stderr, quoted.finish());
}

void print_text(std::FILE* to, std::string_view text) { print_bytes(to, wrap_lines(text, terminal_columns(to))); }

void print_json(const Json& value) {
  print_bytes(stdout, value.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n");
}

void print_bytes(std::FILE* to, std::string_view bytes) {
  errno = 0;
  check(to, std::fwrite(bytes.data(), 1, bytes.size(), to) == bytes.size());
}

bool flush_output() {
  errno = 0;
  check(stdout, std::fflush(stdout) == 0);
  end_without_reader();
  return g_failure == 0;
}

int finish_output(int exit_status) {
  if (flush_output()) return exit_status;
  complain("output", std::string("cannot write standard output: ") + strerror(g_failure));
  return exit_status != kExitOk ? exit_status : kExitUsage;
}

void hold_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free descriptor is this one.
    if (::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) != descriptor) ::_exit(kExitUsage);
  }
}

bool is_terminal(std::FILE* file) { return ::isatty(::fileno(file)) == 1; }

unsigned terminal_columns(std::FILE* file) {
  winsize size{};
  return is_terminal(file) && ::ioctl(::fileno(file), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace cloister::apps
