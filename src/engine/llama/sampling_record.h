// How a text was sampled, for its receipt: the parameters in effect.
#pragma once

#include "base/json.h"
#include "server-task.h"

namespace cloister::engine::llama {

// {"temperature","top_p","top_k","min_p","typical_p","repetition_penalty","presence_penalty","frequency_penalty",
// "penalty_tokens","max_tokens","seed"}: integers, and fractions as decimal texts; `max_tokens` is null where only the
// context is the limit. Choice k of a prompt is sampled with the seed plus k, modulo 2^32. `asked_seed` is the seed of
// the request, null without one: where the engine's seed of 32 bits is another number, "seed_asked" holds it as text.
Json sampling_record(const task_params& params, const Json* asked_seed);

}  // namespace cloister::engine::llama
