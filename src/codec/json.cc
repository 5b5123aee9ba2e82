#include "codec/json.h"

#include <string.h>

#include <cstdint>

#include "codec/json_builder.h"
#include "codec/json_fast.h"

namespace cloister::codec {
namespace {

// The member, or an Error when `object` is no object or lacks it.
Result<const Json*> member(const Json& object, std::string_view name) {
  const std::string text(name);
  if (!object.is_object()) {
    return fail(ErrorCode::kBadJson, "expected an object with the member `" + text + "`, got " + object.type_name(),
                text);
  }
  const auto found = object.find(text);
  if (found == object.end()) return fail(ErrorCode::kBadJson, "the member `" + text + "` is missing", text);
  return &*found;
}

Error wrong_type(std::string_view name, const char* expected, const Json& actual) {
  const std::string text(name);
  return fail(ErrorCode::kBadJson, "expected `" + text + "` to be " + expected + ", got " + actual.type_name(), text);
}

Result<void> check_text(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return fail(ErrorCode::kTooLarge, "expected at most " + std::to_string(limits.max_bytes) + " bytes of JSON, got " +
                                          std::to_string(text.size()));
  }
  // The parser takes a zero byte for the end of the text and skips a byte order mark; neither is part of JSON.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return fail(ErrorCode::kBadJson, "zero byte at byte " + std::to_string(zero + 1));
  }
  if (text.starts_with("\xEF\xBB\xBF")) return fail(ErrorCode::kBadJson, "byte order mark at byte 1");
  return {};
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  TRY_VOID(check_text(text, limits));
  JsonBuilder builder(limits);
  bool built = false;
  // Text that the fast parser does not take goes to the slow one, which knows what is wrong, and where.
  switch (build_json_fast(text, builder)) {
    case FastJson::kBuilt: built = true; break;
    case FastJson::kRefused: break;
    case FastJson::kNotTaken: built = Json::sax_parse(text, &builder); break;
  }
  if (!built) return fail(ErrorCode::kBadJson, builder.complaint());
  return builder.take();
}

Result<Json> parse_secret_json(std::string_view text, const JsonLimits& limits) {
  TRY_VOID(check_text(text, limits));
  JsonBuilder builder(limits);
  const FastJson outcome = build_secret_json(text, builder);
  Json value = builder.take();
  if (outcome == FastJson::kBuilt) return value;
  wipe(value);
  // The slow parser leaves copies behind.
  if (outcome == FastJson::kNotTaken) return fail(ErrorCode::kBadJson, "not valid JSON, or longer than 1 MiB");
  return fail(ErrorCode::kBadJson, builder.complaint());
}

void wipe(Json& value) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    ::explicit_bzero(text.data(), text.size());
  } else if (value.is_structured()) {
    for (Json& item : value) wipe(item);
  }
}

std::string write_json(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<std::string> string_member(const Json& object, std::string_view name) {
  TRY(found, member(object, name));
  if (!found->is_string()) return wrong_type(name, "a string", *found);
  return found->get<std::string>();
}

Result<const Json*> object_member(const Json& object, std::string_view name) {
  TRY(found, member(object, name));
  if (!found->is_object()) return wrong_type(name, "an object", *found);
  return found;
}

Result<const Json*> array_member(const Json& object, std::string_view name) {
  TRY(found, member(object, name));
  if (!found->is_array()) return wrong_type(name, "an array", *found);
  return found;
}

}  // namespace cloister::codec
