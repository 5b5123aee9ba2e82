// What a request says about the type of its body. Pure functions; any thread.
#pragma once

#include <string>

#include "http/message.h"

namespace cloister::api {

// The media type of Content-Type in lower case, without parameters: "application/json". Empty when there is none, and
// when there are several.
std::string media_type(const http::RequestHead& head);

}  // namespace cloister::api
