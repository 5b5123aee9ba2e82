#include "api/query_parameter.h"

#include "http/message.h"

namespace cloister::api {

Result<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> found;
  for (auto& [key, value] : http::parse_query(query)) {
    if (key != name) continue;
    if (found) return fail(ErrorCode::kInvalidRequest, "'" + std::string(name) + "' is given twice", std::string(name));
    found = std::move(value);
  }
  return found;
}

}  // namespace cloister::api
