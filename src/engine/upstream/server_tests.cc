#include "engine/upstream/server_tests.h"

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/hash.h"

namespace cloister::engine::upstream {

Ask ask_server(const http::Client& client) {
  return [&client](const std::string& body) -> Result<std::string> {
    TRY(response, client.post_json("/v1/chat/completions", body));
    if (response.status == 200) return std::move(response.body);
    const std::string told = "the server answers with status " + std::to_string(response.status);
    return fail(response.status == 429 || response.status == 503 ? ErrorCode::kBusy : ErrorCode::kUpstreamBroken, told);
  };
}

Json uncached_members(const std::string& kind, bool salted) {
  Json out = Json::object();
  if (salted) out["cache_salt"] = to_hex(crypto::random_bytes(16));
  if (kind == "llamacpp") out["cache_prompt"] = false;
  return out;
}

std::shared_ptr<ServerTests::Tested> ServerTests::tested(const std::string& model,
                                                         std::shared_ptr<const GivenAnswers> answers) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Tested>& place = tested_[model];
  if (place == nullptr) place = std::make_shared<Tested>(std::move(answers), server_, every_);
  return place;
}

Result<void> ServerTests::test(const Findings& findings, bool was_up, bool salted) {
  if (answers_.empty()) return {};
  for (const ModelInfo& model : findings.models) {
    TRY(answers, answers_.find(model));
    if (answers == nullptr) continue;
    const std::shared_ptr<Tested> one = tested(model.id, answers);
    if (!was_up && one->record.state().stage == TestStage::kPassed) {
      one->record.reset();
      one->due = {};
    }
    TRY_VOID(test_model(model, *one, findings.kind, salted));
  }
  return {};
}

Result<void> ServerTests::test_model(const ModelInfo& model, Tested& tested, const std::string& kind, bool salted) {
  using What = TrialSchedule::Step::What;
  const auto waits = [&]() -> Result<void> {
    if (tested.record.state().stage == TestStage::kPassed) return {};
    return fail(ErrorCode::kBusy, "the known-answer test could not be made yet");
  };
  if (std::chrono::steady_clock::now() < tested.due) return waits();
  const Question base{model.id, Json::object()};
  for (;;) {
    Question question = base;
    question.more = uncached_members(kind, salted);
    const TrialOutcome outcome = run_trial(tested.record.answers()->document, question, ask_server(client_));
    tested.record.note(outcome, model.identity_digest, system_clock().now());
    if (outcome.finding == Finding::kFailed)
      log::warn("known-answer test failed url=" + server_ + " " + outcome.reason);
    const auto now = std::chrono::steady_clock::now();
    const TrialSchedule::Step step = tested.schedule.after(outcome, now);
    if (step.what == What::kRepeat) continue;
    if (step.what == What::kWithdraw) {
      tested.record.withdraw(step.reason);
      withdrawn_ = true;
      return fail(ErrorCode::kEngineFailed, "the known-answer test failed: " + step.reason);
    }
    tested.due = now + step.pause;
    return waits();
  }
}

void ServerTests::forget_withdrawal() {
  if (!withdrawn_.exchange(false)) return;
  const std::lock_guard lock(mutex_);
  tested_.clear();
}

std::vector<KnownAnswersState> ServerTests::state() const {
  std::vector<KnownAnswersState> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [model, one] : tested_) {
    out.push_back(one->record.state());
    out.back().model = model;
  }
  return out;
}

std::shared_ptr<const evidence::KnownAnswersResult> ServerTests::result(std::string_view model) const {
  const std::lock_guard lock(mutex_);
  const auto found = tested_.find(model);
  return found == tested_.end() ? nullptr : found->second->record.result();
}

}  // namespace cloister::engine::upstream
