// JSON answers of provisioning services that sign a part of the answer: {"tcbInfo":{...},"signature":"<hex>"}.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::codec {

struct SignedJson {
  std::string text;           // the member's value exactly as it stands in the answer, which is what was signed
  std::string signature_hex;  // as served; 128 hex characters when it is well-formed
};

// Splits `body`, at most 1 MiB of strict JSON (codec/json.h): an object with exactly two members, `member` (an object)
// and "signature" (a string), in either order. The value is cut out of the text, never written anew.
Result<SignedJson> split_signed_json(std::string_view body, std::string_view member);

}  // namespace cloister::codec
