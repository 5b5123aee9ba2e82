#include "api/endpoint.h"

namespace cloister::api {
namespace {

constexpr std::string_view kArgument = "{id}", kPath = "{path}";

bool path_matches(std::string_view pattern, std::string_view path, std::string_view& argument) {
  const bool whole_path = pattern.ends_with(kPath);
  if (!whole_path && !pattern.ends_with(kArgument)) return pattern == path;
  pattern.remove_suffix(whole_path ? kPath.size() : kArgument.size());
  if (!path.starts_with(pattern) || path.size() == pattern.size()) return false;
  argument = path.substr(pattern.size());
  return whole_path || argument.find('/') == std::string_view::npos;
}

}  // namespace

EndpointRegistry::Match EndpointRegistry::find(std::string_view method, std::string_view path) const {
  Match match;
  for (const Endpoint& endpoint : endpoints_) {
    std::string_view argument;
    if (!path_matches(endpoint.path, path, argument)) continue;
    bool method_fits = endpoint.method == method || (endpoint.method == "GET" && method == "HEAD");
    if (method_fits) return Match{&endpoint, argument, ""};
    match.allowed_methods.append(match.allowed_methods.empty() ? "" : ", ").append(endpoint.method);
  }
  return match;
}

}  // namespace cloister::api
