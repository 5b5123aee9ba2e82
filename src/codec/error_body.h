// The JSON body of an error in each dialect. Nodes refuse a request with it, and engines end a stream with it.
#pragma once

#include <string>

#include "base/result.h"

namespace cloister::codec {

// {"error":{"message","type","param","code"}}: platform.openai.com/docs/guides/error-codes.
std::string openai_error_body(const Error& error);

// {"type":"error","error":{"type","message"}}: docs.anthropic.com/en/api/errors.
std::string anthropic_error_body(const Error& error);

}  // namespace cloister::codec
