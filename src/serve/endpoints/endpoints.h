// One install function a file: adds its endpoints to the registry. The context outlives the registry.
#pragma once

#include "serve/endpoint.h"

namespace cloister::serve {

struct NodeContext;

void install_inference(EndpointRegistry& registry, NodeContext& context);
void install_attestation(EndpointRegistry& registry, NodeContext& context);
void install_receipts(EndpointRegistry& registry, NodeContext& context);
void install_signature(EndpointRegistry& registry, NodeContext& context);
void install_models(EndpointRegistry& registry, NodeContext& context);
void install_health(EndpointRegistry& registry, NodeContext& context);
void install_page(EndpointRegistry& registry, NodeContext& context);

}  // namespace cloister::serve
