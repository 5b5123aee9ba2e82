// What this node has to know of a JSON body that goes on to another server unread. A receipt says which model was asked for,
// so the body must not be one that this node and the other server could read differently.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace cloister::serve {

struct RelayedRequest {
  std::optional<std::string> model;   // nothing where the client names none
  Json protections;                   // an object: the members that ask for a protection (serve/asked_protection.h)
};

// Errors, with the member as their param: kBadJson for a body that is no object, or that has two top-level members of one
// name (the case of letters aside); kInvalidRequest for a "model" that is no text, or that is written in other letters
// ("Model", which some servers take for it).
Result<RelayedRequest> read_relayed_request(std::string_view body);

}  // namespace cloister::serve
