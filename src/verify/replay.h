// replay.*: whether a reply that was computed again equals the archived one (docs/guide/audit.md). An engine computes
// it (apps/audit); the two replies are compared here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evidence/model_identity.h"
#include "verify/verdict.h"

namespace cloister::verify {

// The parts of a reply that are compared.
struct ReplayedReply {
  std::string said;                   // reasoning, text and calls of all choices, one after the other
  std::vector<std::int64_t> tokens;   // tokens of `said`, by the model's tokenizer
  std::vector<std::string> finishes;  // one for each choice, in the dialect's words; empty for one that was cut off
  // Absent where the reply does not state them.
  std::optional<std::uint64_t> prompt_tokens, completion_tokens;
};

// replay.request: passed, or skipped with what the archive lacks for asking again.
void check_replay_request(const std::optional<std::string>& lacking, Verdict& verdict);

// True when the identity is one of the embedded engine, which names weights and threads. Only such a model is asked again.
bool is_replayable(const evidence::ModelIdentity& archived);

// replay.model: passed when `here` is the archived model, else skipped; returns whether it passed. A number of threads
// that the person who asks chose (`threads_chosen`) may differ and is then in the check's detail. Whether pages are
// locked makes no difference. A model that is not replayable is skipped whatever `here` is.
bool check_replay_model(const evidence::ModelIdentity& archived, evidence::ModelIdentity here, bool threads_chosen,
                        Verdict& verdict);

// replay.text, replay.finish and replay.tokens, and the fact `replay`: {"reproduced","tokens","differs_at_token","milliseconds"}.
void check_replayed(const ReplayedReply& archived, const ReplayedReply& now, std::chrono::milliseconds took,
                    Verdict& verdict);

// For a rejected archive: replay.text is skipped.
void skip_replay(Verdict& verdict);

}  // namespace cloister::verify
