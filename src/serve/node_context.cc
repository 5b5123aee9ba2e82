#include "serve/node_context.h"

#include "api/aci_headers.h"

namespace cloister::serve {

void reply(NodeContext& context, const api::Call& call, http::Response response) {
  context.cors.decorate(call.exchange->request(), response.headers);
  api::add_aci_headers(*context.identity.now(), response.headers);
  context.metrics.requests.count_request(call.endpoint->name, response.status);
  call.exchange->respond(std::move(response));
}

}  // namespace cloister::serve
