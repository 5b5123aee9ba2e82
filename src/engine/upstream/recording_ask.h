// Asks a server of others for its answers, to record them. Blocking.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/known_answers/trial.h"

namespace cloister::engine {

class RecordedServer {
 public:
  virtual ~RecordedServer() = default;
  // "vllm 0.11.0", "upstream" where it does not say.
  virtual std::string description() const = 0;
  // Each request past the server's cache of prompts, where the server has a way to ask for that. Not longer than this object lives.
  virtual Ask ask() const = 0;
};

// `url` as of --upstream. kModelNotFound when the server does not list the model; other errors as of the client.
Result<std::unique_ptr<RecordedServer>> open_recording(const std::string& url, const std::string& bearer_token, const std::string& model);

}  // namespace cloister::engine
