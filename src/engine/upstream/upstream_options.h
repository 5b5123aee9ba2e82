// What the upstream engine is told.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/known_answers/record.h"
#include "evidence/model_identity.h"

namespace cloister::engine {

enum class CacheSalt { kAuto, kOn, kOff };

struct UpstreamOptions {
  std::vector<std::string> urls;  // as parse_upstream_url() takes them
  std::string bearer_token;       // this node's token for the upstreams; empty = none
  CacheSalt cache_salt = CacheSalt::kAuto;
  int connect_timeout_s = 5;
  int first_byte_timeout_s = 600;  // a buffered reply arrives when all of it is computed
  int idle_timeout_s = 120;
  std::size_t parallel = 256;       // requests under way at the same time at all upstreams together, for each of them
  std::size_t most_waiting = 4096;  // for one of these places
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

}  // namespace cloister::engine
