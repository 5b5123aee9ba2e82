#include "api/media_type.h"

#include <algorithm>

namespace cloister::api {

std::string media_type(const http::RequestHead& head) {
  const auto is_type = [](const auto& header) { return header.first == "content-type"; };
  if (std::count_if(head.headers.begin(), head.headers.end(), is_type) != 1) return {};
  std::string type(*head.header("content-type"));
  type.resize(std::min(type.find(';'), type.size()));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type;
}

}  // namespace cloister::api
