// Asks another server for its answers, to record them. Blocking.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/known_answers/trial.h"

namespace cloister::engine {

class RecordedServer {
 public:
  virtual ~RecordedServer() = default;
  // "vllm 0.11.0", "upstream" where the server does not say.
  virtual std::string description() const = 0;
  // Bypasses the server's prompt cache in each request, where the server has a way to ask for that. Not valid longer than this object.
  virtual Ask ask() const = 0;
};

// `url` is as for --upstream. kModelNotFound when the server does not list the model; other errors as the client's.
Result<std::unique_ptr<RecordedServer>> open_recording(const std::string& url, const std::string& bearer_token,
                                                       const std::string& model);

}  // namespace cloister::engine
