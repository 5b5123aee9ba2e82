// Bearer tokens from a file. A caller is known by an Owner, a digest of its token, so that the token itself is compared
// in constant time and kept nowhere.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "http/message.h"

namespace cloister::serve {

// The first 16 bytes of SHA-256("cloister.owner.v1" || token); all zero for callers without a token.
using Owner = ByteArray<16>;

class BearerAuth {
 public:
  // Everybody may call.
  static BearerAuth open() { return BearerAuth(); }
  // One token a line; empty lines and lines that start with '#' are left out. At least one token of at least 8 characters.
  static Result<BearerAuth> from_file(const std::filesystem::path& path);

  bool required() const { return required_; }
  // The caller's owner; nothing when a token is required and the request has none that is known. Tokens come in
  // `Authorization: Bearer` or, as Anthropic's SDKs send them, `x-api-key`.
  std::optional<Owner> authenticate(const http::Headers& headers) const;

 private:
  bool required_ = false;
  std::vector<Owner> owners_;
};

}  // namespace cloister::serve
