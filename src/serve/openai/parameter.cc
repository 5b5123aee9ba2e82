#include "serve/openai/parameter.h"

#include <cmath>

namespace cloister::serve {
namespace {

std::string number_text(double value) {
  std::string text = Json(value).dump();
  if (text.size() > 2 && text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

Error wrong_type(std::string_view name, std::string_view wanted, const Json& value) {
  return invalid_parameter(name, "'" + std::string(name) + "' must be " + std::string(wanted) + ", got " +
                                     std::string(type_name(value)));
}

}  // namespace

Error invalid_parameter(std::string_view name, std::string message) {
  return fail(ErrorCode::kInvalidRequest, std::move(message), std::string(name));
}

std::string_view type_name(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::boolean: return "a boolean";
    case Json::value_t::string: return "a string";
    case Json::value_t::array: return "an array";
    case Json::value_t::object: return "an object";
    default: return "a number";
  }
}

const Json* present(const Json& object, std::string_view name) {
  auto it = object.find(std::string(name));
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

Result<void> want_string(const Json& object, std::string_view name) {
  const Json* value = present(object, name);
  if (value != nullptr && !value->is_string()) return wrong_type(name, "a string", *value);
  return {};
}

Result<void> want_boolean(const Json& object, std::string_view name) {
  const Json* value = present(object, name);
  if (value != nullptr && !value->is_boolean()) return wrong_type(name, "a boolean", *value);
  return {};
}

Result<void> want_object(const Json& object, std::string_view name) {
  const Json* value = present(object, name);
  if (value != nullptr && !value->is_object()) return wrong_type(name, "an object", *value);
  return {};
}

Result<void> want_array(const Json& object, std::string_view name) {
  const Json* value = present(object, name);
  if (value != nullptr && !value->is_array()) return wrong_type(name, "an array", *value);
  return {};
}

Result<void> want_integer(const Json& object, std::string_view name, std::int64_t least, std::int64_t most) {
  const Json* value = present(object, name);
  if (value == nullptr) return {};
  // 5.0 is an integer to some clients.
  bool whole = value->is_number() && std::floor(value->get<double>()) == value->get<double>();
  if (!whole) return wrong_type(name, "an integer", *value);
  double number = value->get<double>();
  if (number < static_cast<double>(least) || number > static_cast<double>(most)) {
    return invalid_parameter(name, "'" + std::string(name) + "' must be from " + std::to_string(least) + " to " +
                                       std::to_string(most) + ", got " + number_text(number));
  }
  return {};
}

Result<void> want_number(const Json& object, std::string_view name, double least, double most) {
  const Json* value = present(object, name);
  if (value == nullptr) return {};
  if (!value->is_number()) return wrong_type(name, "a number", *value);
  double number = value->get<double>();
  if (!(number >= least && number <= most)) {
    return invalid_parameter(name, "'" + std::string(name) + "' must be from " + number_text(least) + " to " +
                                       number_text(most) + ", got " + number_text(number));
  }
  return {};
}

Result<void> want_one_of(const Json& object, std::string_view name, std::initializer_list<std::string_view> words) {
  TRY_VOID(want_string(object, name));
  const Json* value = present(object, name);
  if (value == nullptr) return {};
  std::string list;
  for (std::string_view word : words) {
    if (value->get_ref<const std::string&>() == word) return {};
    list.append(list.empty() ? "" : ", ").append(word);
  }
  return invalid_parameter(name, "'" + std::string(name) + "' must be one of: " + list);
}

}  // namespace cloister::serve
