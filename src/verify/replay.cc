#include "verify/replay.h"

#include <algorithm>
#include <utility>

#include "codec/json.h"
#include "evidence/json_reader.h"
#include "verify/check.h"
#include "verify/model_manifest.h"

namespace cloister::verify {
namespace {

constexpr const char* kText = "replay.text";

std::string count_text(const std::optional<std::uint64_t>& count) {
  return count ? std::to_string(*count) : "not told";
}

std::string counts(const ReplayedReply& reply) {
  return count_text(reply.prompt_tokens) + " + " + count_text(reply.completion_tokens);
}

std::string finishes(const ReplayedReply& reply) {
  std::string out;
  for (const std::string& finish : reply.finishes) {
    out += (out.empty() ? "" : ", ") + (finish.empty() ? std::string("cut off") : finish);
  }
  return out;
}

std::string tokens_text(const ReplayedReply& reply) { return std::to_string(reply.tokens.size()) + " tokens"; }

Check check_counts(const ReplayedReply& archived, const ReplayedReply& now) {
  const std::string id = "replay.tokens";
  if (!archived.completion_tokens || !now.completion_tokens) {
    return skipped(id, "the archived reply does not tell", false);
  }
  return compared(id, counts(archived), counts(now), "it counts other tokens of prompt and reply");
}

Check compare_identities(const evidence::ModelIdentity& archived, evidence::ModelIdentity here, bool threads_chosen) {
  const std::string id = "replay.model";
  std::string note;
  if (threads_chosen && here.settings["threads"] != archived.settings.at("threads")) {
    note = "with " + codec::write_json(here.settings["threads"]) + " threads instead of " +
           codec::write_json(archived.settings.at("threads"));
    for (const char* name : {"threads", "batch_threads"}) here.settings[name] = archived.settings.at(name);
  }
  if (here.weights) here.weights->locked = true;
  Verdict members;
  compare_models(archived, here, members);
  for (const Check& check : members.checks) {
    if (check.state != State::kFail) continue;
    // This is no fault of the archive: another file was given here, or this machine cannot compute the same.
    return skipped(id, "the model here is another: " + check.id + ", " + check.detail + ": expected " + check.expected +
                           ", found " + check.actual);
  }
  return passed(id, evidence::digest_text(archived.weights->digest), note);
}

}  // namespace

void check_replay_request(const std::optional<std::string>& lacking, Verdict& verdict) {
  const std::string id = "replay.request";
  verdict.add(lacking ? skipped(id, *lacking) : passed(id));
}

bool is_replayable(const evidence::ModelIdentity& archived) {
  return archived.weights && archived.settings.contains("threads") && archived.settings.contains("batch_threads");
}

bool check_replay_model(const evidence::ModelIdentity& archived, evidence::ModelIdentity here, bool threads_chosen,
                        Verdict& verdict) {
  if (!is_replayable(archived)) {
    verdict.add(skipped("replay.model", "the model that answered was not the embedded engine's"));
    return false;
  }
  Check check = compare_identities(archived, std::move(here), threads_chosen);
  const bool same = check.state == State::kPass;
  verdict.add(std::move(check));
  return same;
}

void check_replayed(const ReplayedReply& archived, const ReplayedReply& now, std::chrono::milliseconds took,
                    Verdict& verdict) {
  const bool same = archived.said == now.said && archived.finishes.size() == now.finishes.size();
  const auto at = std::ranges::mismatch(archived.tokens, now.tokens).in1 - archived.tokens.begin();
  verdict.facts["replay"] = {{"reproduced", same},
                             {"tokens", archived.tokens.size()},
                             {"differs_at_token", same ? Json() : Json(at)},
                             {"milliseconds", took.count()}};
  if (same) {
    verdict.add(passed(kText, tokens_text(archived), "reproduced"));
  } else {
    verdict.add(failed(kText,
                       "it differs at token " + std::to_string(at) + " of " + std::to_string(archived.tokens.size()),
                       tokens_text(archived), tokens_text(now)));
  }
  verdict.add(compared("replay.finish", finishes(archived), finishes(now), "it ends in another way"));
  verdict.add(check_counts(archived, now));
}

void skip_replay(Verdict& verdict) { verdict.add(skipped(kText, "the archive is rejected: nothing was computed")); }

}  // namespace cloister::verify
