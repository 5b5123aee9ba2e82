// The JSON type of the project. Parse untrusted text only through codec/json.h.
#pragma once

#include <nlohmann/json.hpp>

namespace cloister {

// Keeps the order of members, so that what we write reads in the order we wrote it.
using Json = nlohmann::ordered_json;

}  // namespace cloister
