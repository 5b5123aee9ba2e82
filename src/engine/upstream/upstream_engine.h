// The upstream engine: OpenAI servers on the same host or private network (vLLM, SGLang, llama-server) answer, and
// their bytes are passed on unchanged. docs/guide/engines.md, docs/decisions/0007-upstream-on-the-loop.md.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/known_answers/record.h"
#include "evidence/model_identity.h"
#include "http/client.h"

namespace cloister::engine {

enum class CacheSalt { kAuto, kOn, kOff };

struct UpstreamOptions {
  std::vector<std::string> urls;  // as parse_upstream_url() takes them
  std::string bearer_token;       // this node's token for the upstreams; empty = none
  CacheSalt cache_salt = CacheSalt::kAuto;
  int connect_timeout_s = 5;
  int first_byte_timeout_s = 600;  // a buffered reply arrives when all of it is computed
  int idle_timeout_s = 120;
  std::size_t parallel = 256;                       // requests under way at the same time, for each upstream
  std::size_t most_waiting = 4096;                  // for one of these places
  std::chrono::milliseconds check_interval{2000};   // of an upstream that is up
  std::chrono::milliseconds recheck_interval{200};  // of one that is down
  // What the identity of its models is made of (docs/spec/model-identity.md): the files to hash (empty = none), what
  // else is known of the server's program, and who is told before a model is served.
  std::filesystem::path model_files;
  std::optional<evidence::ModelClaim> serving_software;
  IdentityHook on_identity = {};
  // What models of these names must answer before a server that lists them is used, and from then on this often. A name
  // that no server lists, and answers of other weights than `model_files`, are failures of the engine.
  std::vector<std::shared_ptr<const GivenAnswers>> known_answers = {};
  std::chrono::milliseconds known_answers_every{300'000};
};

// Accepts http://HOST:PORT[/PATH], of which a final /v1 is left out, or unix:/PATH. Errors: kBadUrl; kUsage for https.
Result<http::Url> parse_upstream_url(const std::string& text);

// Resolves the names, starts for each upstream one thread that watches its health, and returns at once:
// Health::kLoading until one of them answers and its models are identified. When a measured file changes, all servers
// are down. Errors: kUsage, kBadUrl, kNetwork, kModelFile.
Result<std::unique_ptr<Engine>> make_upstream_engine(UpstreamOptions options);

}  // namespace cloister::engine
