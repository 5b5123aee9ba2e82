// What several options mean together. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "config/serve_options.h"

namespace cloister::config {

// The engine that the options ask for: "llama", "upstream", "echo".
std::string engine_kind(const ServeOptions& options);
// True when the answers come from this TEE: always, except for upstreams on other machines. --serving overrides it.
bool serves_itself(const ServeOptions& options);
// Where an upstream is, as far as a verifier has to know: "unix:", "http://localhost", "http://private", "http://NAME:PORT". The policy
// document is public, and the addresses of a network are not.
std::string place_of_upstream(const std::string& url);
// The origin of the TLS key: "none", "self-signed" and "tee-key" for a key that was made in the TEE, "certificate" for one of the operator.
std::string tls_mode(const ServeOptions& options);
// True when callers need a token.
bool needs_token(const ServeOptions& options);
// The web origins that may call; empty for pages of this machine.
std::vector<std::string> cors_origins(const ServeOptions& options);
// True when prompts of one credential may be reused for another. Without tokens all callers are one tenant.
bool shares_prompt_cache(const ServeOptions& options);

}  // namespace cloister::config
