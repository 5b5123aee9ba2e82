// Error: why an operation on input or on the outside world did not succeed. It is a value and cheap to move. `code` is
// stable; `message` is for people and never holds prompts, replies or keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cloister {

enum class ErrorCode : std::uint16_t {
#define CLOISTER_ERROR(name, id, status, type) name,
#include "base/error_codes.def"
#undef CLOISTER_ERROR
};

// Stable text id, for example "tdx.quote.malformed".
std::string_view error_id(ErrorCode code);
// The HTTP status that the code maps to, for example 400.
int error_http_status(ErrorCode code);
// OpenAI error `type`, for example "invalid_request_error".
std::string_view error_openai_type(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;    // one sentence that says expected and actual where that helps
  std::string param;      // the request parameter, field or file at fault; empty when none
  int retry_after_s = 0;  // seconds after which another try may succeed; 0 = soon

  // "tdx.quote.malformed: message"
  std::string to_string() const;
};

// Aborts the process after a line on standard error that holds the error's id and nothing else of it. Result calls the two.
[[noreturn]] void end_for_value_of(const Error& error);
[[noreturn]] void end_for_missing_error();

}  // namespace cloister
