#include "engine/llama/sampling_record.h"

#include <charconv>
#include <string>

namespace cloister::engine::llama {
namespace {

// The shortest text that parses to the same number.
std::string decimal(float value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
  return end.ec == std::errc() ? std::string(text, end.ptr) : std::string("out of range");
}

}  // namespace

Json sampling_record(const task_params& params, const Json* asked_seed) {
  const common_params_sampling& sampling = params.sampling;
  Json out = {{"temperature", decimal(sampling.temp)},
              {"top_p", decimal(sampling.top_p)},
              {"top_k", sampling.top_k},
              {"min_p", decimal(sampling.min_p)},
              {"typical_p", decimal(sampling.typ_p)},
              {"repetition_penalty", decimal(sampling.penalty_repeat)},
              {"presence_penalty", decimal(sampling.penalty_present)},
              {"frequency_penalty", decimal(sampling.penalty_freq)},
              {"penalty_tokens", sampling.penalty_last_n},
              {"max_tokens", params.n_predict < 0 ? Json() : Json(params.n_predict)},
              {"seed", sampling.seed}};
  // As text, since it may be greater than what every JSON parser keeps exact.
  if (asked_seed != nullptr && *asked_seed != Json(sampling.seed)) out["seed_asked"] = asked_seed->dump();
  return out;
}

}  // namespace cloister::engine::llama
