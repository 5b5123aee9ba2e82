// What the node itself has to know of an inference request. The engine checks everything else in the body: embedded
// engines refuse what they do not accept (engine/dialect), and another server decides for itself.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace cloister::api {

struct Envelope {
  Json json;          // the whole body, an object
  std::string model;  // empty when the client named none
  bool stream = false;
};

// `body` is the raw text, whose size admission has bounded. It must be strict JSON (codec/json.h), an object, with
// "model" a string and "stream" a boolean where they are present.
Result<Envelope> read_envelope(std::string_view body);

}  // namespace cloister::api
