#include "api/reply.h"

#include <utility>

#include "api/aci_headers.h"

namespace cloister::api {

void reply(const ReplyContext& context, const Call& call, http::Response response) {
  context.cors.decorate(call.exchange->request(), response.headers);
  add_aci_headers(*context.identity.now(), response.headers);
  context.metrics.count_request(call.endpoint->name, response.status);
  call.exchange->respond(std::move(response));
}

}  // namespace cloister::api
