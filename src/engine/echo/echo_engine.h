// The echo engine: answers with the last user message, word by word. It is deterministic and computes nothing, and its
// first-token delay and token gap can be set: for tests and benches.
#pragma once

#include <chrono>
#include <memory>

#include "engine/engine.h"

namespace cloister::engine {

struct EchoOptions {
  std::string model_id = "echo";
  std::chrono::microseconds first_token_delay{0};
  std::chrono::microseconds token_gap{0};
  // When positive, replies have exactly this many tokens (the text repeats), unless max_tokens asks for fewer.
  int fixed_tokens = 0;
};

std::unique_ptr<Engine> make_echo_engine(EchoOptions options);

}  // namespace cloister::engine
