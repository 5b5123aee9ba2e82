// The upstream engine: OpenAI servers of the same host or private network (vLLM, SGLang, llama-server) answer, and their
// bytes are passed on as they are. docs/guide/engines.md, docs/decisions/0007-upstream-on-the-loop.md.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace cloister::engine {

enum class CacheSalt { kAuto, kOn, kOff };

struct UpstreamOptions {
  std::vector<std::string> urls;         // http://HOST:PORT[/PATH]; a final /v1 is left out
  std::string bearer_token;              // ours for the upstreams; empty = none
  CacheSalt cache_salt = CacheSalt::kAuto;
  int connect_timeout_s = 5;
  int first_byte_timeout_s = 600;        // a buffered reply comes when all of it is computed
  int idle_timeout_s = 120;
  std::chrono::milliseconds check_interval{2000};        // of an upstream that is up
  std::chrono::milliseconds recheck_interval{200};       // of one that is down
};

// Resolves the names, starts one thread for each upstream that watches its health, and returns at once: Health::kLoading
// until one of them answers. Errors: kUsage, kBadUrl, kNetwork.
Result<std::unique_ptr<Engine>> make_upstream_engine(UpstreamOptions options);

}  // namespace cloister::engine
