#include "serve/node_context.h"

#include <utility>

#include "api/reply.h"

namespace cloister::serve {

void reply(NodeContext& context, const api::Call& call, http::Response response) {
  api::reply({context.cors, context.identity, context.metrics.requests}, call, std::move(response));
}

}  // namespace cloister::serve
