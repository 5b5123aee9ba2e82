#include "base/error.h"

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

}  // namespace cloister
