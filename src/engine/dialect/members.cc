#include "engine/dialect/members.h"

namespace cloister::engine {

const Json* find_member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_member(const Json& object, const char* name) {
  const Json* value = find_member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::string content_text(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (!content.is_array()) return text;
  for (const Json& part : content) {
    const Json* value = find_member(part, "text");
    if (value != nullptr && value->is_string()) text += value->get_ref<const std::string&>();
  }
  return text;
}

}  // namespace cloister::engine
