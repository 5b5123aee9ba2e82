// GET /: one page for people: what this node is, a prompt to try, and how to verify it. The page itself verifies
// nothing and says so; it loads nothing from elsewhere.
#include "serve/endpoints/endpoints.h"
#include "serve/page_html.h"

namespace cloister::serve {

void install_page(api::EndpointRegistry& registry, NodeContext& context) {
  api::Endpoint endpoint;
  endpoint.method = "GET";
  endpoint.path = "/";
  endpoint.name = "page";
  endpoint.access = api::Access::kPublic;
  endpoint.handle = [&context](api::Call call) {
    http::Response response;
    response.content_type = "text/html; charset=utf-8";
    response.body = kPageHtml;
    response.headers = {
        {"content-security-policy",
         "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"x-content-type-options", "nosniff"},
        {"referrer-policy", "no-referrer"},
        {"cache-control", "no-cache"}};
    reply(context, call, std::move(response));
  };
  registry.install(endpoint);
}

}  // namespace cloister::serve
