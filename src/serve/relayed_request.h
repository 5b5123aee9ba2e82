// What this node has to know of a JSON body that goes on to another server without being parsed. A receipt says which
// model was asked for, so this node and the other server must not be able to read the body differently.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace cloister::serve {

struct RelayedRequest {
  std::optional<std::string> model;  // absent where the client names none
  Json protections;                  // an object: the members that ask for a protection (api/asked_protection.h)
};

// Errors, with the member as their param: kBadJson for a body that is no object, or that has two top-level members of
// one name (ignoring case); kInvalidRequest for a "model" that is no text, or whose name has other case ("Model", which
// some servers accept for it).
Result<RelayedRequest> read_relayed_request(std::string_view body);

}  // namespace cloister::serve
