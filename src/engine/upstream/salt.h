// Cache salts: they keep one tenant's prompts out of another's prefix cache, for engines that take `cache_salt` (vLLM).
// The member is inserted into the text of the body; the rest stays byte for byte what the client sent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "engine/engine.h"

namespace cloister::engine::upstream {

// A key of the node and the salts made from it. Any thread.
class Salter {
 public:
  Salter();
  // HKDF-SHA-256 of the key for this tenant, 64 hex digits: the upstream learns nothing about the credential.
  std::string salt(const ByteArray<16>& tenant) const;

 private:
  SecretBytes key_;
};

// True for the routes whose prompts go through a prefix cache.
bool has_prompt(Route route);

// Where the outermost object of `body` ends and whether it has any member. Errors: kBadJson when it is no object,
// kInvalidRequest when the client names a salt itself.
struct Insertion {
  std::size_t position = 0;
  std::string text;  // ,"cache_salt":"..."
};
Result<Insertion> plan_insertion(std::string_view body, std::string_view salt);

// The "model" of a JSON body; empty when there is none.
std::string model_of(std::string_view body);

}  // namespace cloister::engine::upstream
