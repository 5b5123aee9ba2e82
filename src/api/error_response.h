// The reply to a request that ends with an error, in the shape that the official SDKs of each dialect parse
// (codec/error_body.h). Pure function; any thread.
#pragma once

#include "base/result.h"
#include "http/message.h"

namespace cloister::api {

// Adds Retry-After to a 503 and WWW-Authenticate to a 401.
http::Response error_response(const Error& error, bool anthropic_dialect = false);

}  // namespace cloister::api
