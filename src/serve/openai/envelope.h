// What the node itself has to know of an inference request. Everything else in the body is for the engine to judge: the
// embedded ones refuse what they do not take (engine/dialect), and another server decides for itself.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace cloister::serve {

struct Envelope {
  Json json;             // the whole body, an object
  std::string model;     // empty when the client named none
  bool stream = false;
};

// `body` is the raw text, bounded in size by admission. Strict JSON (codec/json.h), an object, "model" a string and
// "stream" a boolean where they are there.
Result<Envelope> read_envelope(std::string_view body);

}  // namespace cloister::serve
