// One install function for each file: adds its endpoints to the registry. The context outlives the registry.
#pragma once

#include <string_view>

#include "serve/endpoint.h"
#include "serve/report_query.h"

namespace cloister::serve {

struct NodeContext;

void install_inference(EndpointRegistry& registry, NodeContext& context);
void install_attestation(EndpointRegistry& registry, NodeContext& context);
void install_identity(EndpointRegistry& registry, NodeContext& context);
void install_receipts(EndpointRegistry& registry, NodeContext& context);
void install_signature(EndpointRegistry& registry, NodeContext& context);
void install_models(EndpointRegistry& registry, NodeContext& context);
void install_health(EndpointRegistry& registry, NodeContext& context);
void install_page(EndpointRegistry& registry, NodeContext& context);

// Answers with the report that `query` asks for, or with the reason why there is none. Fills in the client itself.
void reply_with_report(NodeContext& context, const Call& call, std::string_view endpoint_name, ReportQuery query);

}  // namespace cloister::serve
