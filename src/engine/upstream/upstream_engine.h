// The upstream engine: OpenAI servers on the same host or private network (vLLM, SGLang, llama-server) answer, and
// their bytes are passed on unchanged. docs/guide/engines.md, docs/decisions/0007-upstream-on-the-loop.md.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/upstream/upstream_options.h"
#include "http/client.h"

namespace cloister::engine {

// Accepts http://HOST:PORT[/PATH], of which a final /v1 is left out, or unix:/PATH. Errors: kBadUrl; kUsage for https.
Result<http::Url> parse_upstream_url(const std::string& text);

// Resolves the names, starts for each upstream one thread that watches its health, and returns at once:
// Health::kLoading until one of them answers and its models are identified. When a measured file changes, all servers
// are down. Errors: kUsage, kBadUrl, kNetwork, kModelFile.
Result<std::unique_ptr<Engine>> make_upstream_engine(UpstreamOptions options);

}  // namespace cloister::engine
