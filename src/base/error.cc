#include "base/error.h"

#include <unistd.h>

#include <cstdlib>

namespace cloister {
namespace {

struct Row {
  std::string_view id;
  int http_status;
  std::string_view openai_type;
};

constexpr Row kRows[] = {
#define CLOISTER_ERROR(name, id, status, type) {id, status, type},
#include "base/error_codes.def"
#undef CLOISTER_ERROR
};

[[noreturn]] void end_with(const std::string& line) {
  // The logger may be what called, so the line goes to the descriptor itself.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  std::abort();
}

const Row& row(ErrorCode code) { return kRows[static_cast<std::size_t>(code)]; }

}  // namespace

std::string_view error_id(ErrorCode code) { return row(code).id; }
int error_http_status(ErrorCode code) { return row(code).http_status; }
std::string_view error_openai_type(ErrorCode code) { return row(code).openai_type; }

std::string Error::to_string() const {
  std::string text(error_id(code));
  if (!message.empty()) text.append(": ").append(message);
  return text;
}

void end_for_value_of(const Error& error) {
  end_with("cloister: a result was read as a value and holds the error " + std::string(error_id(error.code)) + "\n");
}
void end_for_missing_error() { end_with("cloister: a result was read as an error and holds none\n"); }

}  // namespace cloister
