#include "codec/signed_json.h"

#include "codec/json.h"
#include "codec/json_member.h"

namespace cloister::codec {
namespace {

constexpr JsonLimits kLimits{1u << 20, 16, 1u << 17};

}  // namespace

Result<SignedJson> split_signed_json(std::string_view body, std::string_view member) {
  TRY(object, parse_json(body, kLimits));
  TRY_VOID(object_member(object, member));
  TRY(signature, string_member(object, "signature"));
  if (object.size() != 2) {
    return fail(ErrorCode::kBadJson, "expected the members `" + std::string(member) + "` and `signature`, got " +
                                         std::to_string(object.size()) + " members");
  }
  if (const auto value = find_member_text(body, member)) return SignedJson{std::string(*value), std::move(signature)};
  return fail(ErrorCode::kBadJson, "the name `" + std::string(member) + "` is not spelled plainly");
}

}  // namespace cloister::codec
