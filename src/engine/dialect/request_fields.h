// The members of a request that every embedded engine has to understand, checked. Engines that pass a body on to
// another server do not use this: that server checks the body itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace cloister::engine {

struct RequestFields {
  int choices = 1;                  // "n"
  std::optional<int> max_tokens;    // under whatever name the dialect has for it
  std::vector<std::string> stop;    // never holds an empty string
  bool include_usage = false;       // "stream_options"
  std::optional<int> top_logprobs;  // how many alternatives; absent when no log probabilities are wanted
};

// Checks types and ranges of every member that this route knows and returns those that engines share. Errors name the
// parameter. Pictures, sound and files are kUnsupported: no code here ever fetches a URL or opens a path that a client names.
Result<RequestFields> read_request_fields(Route route, const Json& body);

}  // namespace cloister::engine
