// A refusal in the words of another specification, and its reply. Pure functions; any thread.
#pragma once

#include <string>

#include "http/message.h"

namespace cloister::api {

// Where base/error.h has no such error.
struct Refusal {
  int status = 400;
  std::string type;  // OpenAI's `type`
  std::string code;  // stable id, for the body and the receipt
  std::string message;
  std::string param;     // the header or the member at fault
  bool problem = false;  // application/problem+json (RFC 9457) whose type is `type`
};
http::Response to_response(const Refusal& refusal, bool anthropic_dialect);

}  // namespace cloister::api
