// Turns: what the scheduler computes at one moment, and for whom.
#pragma once

#include <cstddef>

namespace cloister::engine::llama {

struct Turns {
  std::size_t decoding_sequences = 0;
  std::size_t decoding_clients = 0;
  std::size_t reading_clients = 0;  // with a prompt that is not computed yet, those who decode as well left out
  bool is_shared = false;           // a prompt is to be computed while another client decodes
};

}  // namespace cloister::engine::llama
