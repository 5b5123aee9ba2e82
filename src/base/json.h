// The JSON type of the project. Parse untrusted text only through codec/json.h.
#pragma once

#include <nlohmann/json.hpp>

namespace cloister {

// Keeps the order of members, so that JSON is written in the order in which it was built.
using Json = nlohmann::ordered_json;

}  // namespace cloister
