// One install function for each file: adds its endpoints to the registry. The context outlives the registry.
#pragma once

#include <set>
#include <string>

#include "api/endpoint.h"
#include "receipts/receipt_lookup.h"
#include "reports/report_query.h"
#include "serve/node_context.h"

namespace cloister::serve {

void install_inference(api::EndpointRegistry& registry, NodeContext& context);
void install_attestation(api::EndpointRegistry& registry, NodeContext& context);
void install_identity(api::EndpointRegistry& registry, NodeContext& context);
void install_receipts(api::EndpointRegistry& registry, NodeContext& context);
void install_signature(api::EndpointRegistry& registry, NodeContext& context);
void install_models(api::EndpointRegistry& registry, NodeContext& context);
void install_health(api::EndpointRegistry& registry, NodeContext& context);
void install_page(api::EndpointRegistry& registry, NodeContext& context);

// The paths of inference routes that compute nothing: they count tokens, or turn text into tokens and back.
std::set<std::string> cheap_paths();

// Answers with the report that `query` asks for, or with the reason why there is none. Fills in the client itself.
void reply_with_report(NodeContext& context, const api::Call& call, reports::ReportQuery query);

// Answers with what `answer` makes of the receipt that the path names (receipts/receipt_lookup.h).
void reply_with_receipt(NodeContext& context, api::Call call, receipts::ReceiptAnswer answer);

}  // namespace cloister::serve
