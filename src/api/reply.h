// Answers a call with a whole reply: with the headers that every reply carries, and counted.
#pragma once

#include "api/cors.h"
#include "api/endpoint.h"
#include "api/request_metrics.h"
#include "http/message.h"
#include "identity/identity.h"

namespace cloister::api {

// What the replies of one server have in common. All of it outlives them.
struct ReplyContext {
  const Cors& cors;
  const identity::Identity& identity;
  RequestMetrics& metrics;
};

// Any thread.
void reply(const ReplyContext& context, const Call& call, http::Response response);

}  // namespace cloister::api
