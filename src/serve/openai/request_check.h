// Checks an inference request before any engine sees it: types, ranges and combinations, with the parameter named in
// the error. Members that no dialect defines are left alone (the embedded engine ignores them, an upstream one may not).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace cloister::serve {

struct CheckedRequest {
  std::string model;   // empty when the client named none
  bool stream = false;
};

// `body` is the raw text, already bounded in size. Fails with kBadJson or kInvalidRequest / kUnsupported.
Result<CheckedRequest> check_request(engine::Route route, std::string_view body);

}  // namespace cloister::serve
