#include "engine/upstream/salt.h"

#include "base/encoding.h"
#include "codec/json_outline.h"
#include "crypto/hash.h"

namespace cloister::engine::upstream {

Salter::Salter() : key_(crypto::random_bytes(32)) {}

std::string Salter::salt(const ByteArray<16>& tenant) const {
  const std::string info = "cloister.cache_salt.v1" + std::string(tenant.begin(), tenant.end());
  return to_hex(crypto::hkdf_sha256(key_.expose(), {}, info, 32).expose());
}

bool has_prompt(Route route) {
  return route == Route::kChatCompletions || route == Route::kCompletions || route == Route::kResponses ||
         route == Route::kMessages;
}

Result<Insertion> plan_insertion(std::string_view body, std::string_view salt) {
  static constexpr codec::JsonOutline::Watch kSalt[] = {{"", "cache_salt"}};
  codec::JsonOutline outline(kSalt);
  outline.feed(body);
  if (!outline.whole()) return fail(ErrorCode::kBadJson, "the request body must be a JSON object");
  if (outline.has(0)) {
    return fail(ErrorCode::kInvalidRequest, "'cache_salt' is set by this node, for each credential", "cache_salt");
  }
  Insertion out;
  out.position = outline.end_position();
  out.text = std::string(outline.has_members() ? "," : "") + "\"cache_salt\":\"" + std::string(salt) + "\"";
  return out;
}

std::string model_of(std::string_view body) {
  static constexpr codec::JsonOutline::Watch kModel[] = {{"", "model"}};
  codec::JsonOutline outline(kModel);
  outline.feed(body);
  return outline.text(0);
}

}  // namespace cloister::engine::upstream
