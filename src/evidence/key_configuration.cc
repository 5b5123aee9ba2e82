#include "evidence/key_configuration.h"

#include <initializer_list>

#include "evidence/native_report.h"

namespace cloister::evidence {
namespace {

Json member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? Json(nullptr) : *found;
}

Json members(const Json& object, std::initializer_list<const char*> names) {
  Json out = Json::object();
  for (const char* name : names) out[name] = member(object, name);
  return out;
}

}  // namespace

Json key_configuration(const Json& policy) {
  return {
      {"schema", "cloister.keys.v2"},
      {"engine", member(policy, "engine")},
      {"gpu", member(policy, "gpu")},
      {"listen", members(member(policy, "listen"), {"address", "tls"})},
      {"logging", members(member(policy, "logging"), {"content"})},
      {"signing", member(policy, "signing")},
      {"tee", member(policy, "tee")},
  };
}

Result<ByteArray<32>> key_configuration_digest(const Json& policy) {
  return document_digest(key_configuration(policy));
}

}  // namespace cloister::evidence
