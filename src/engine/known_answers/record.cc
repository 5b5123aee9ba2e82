#include "engine/known_answers/record.h"

#include <utility>

namespace cloister::engine {

Result<std::shared_ptr<const GivenAnswers>> read_given_answers(std::string_view json_text) {
  auto out = std::make_shared<GivenAnswers>();
  TRY(document, evidence::parse_known_answers(json_text));
  out->document = std::move(document);
  TRY(digest, evidence::known_answers_digest(out->document));
  out->digest = digest;
  return std::shared_ptr<const GivenAnswers>(std::move(out));
}

std::vector<KnownAnswersState> known_answers(const Engine& engine) {
  const auto* tested = dynamic_cast<const TestedEngine*>(&engine);
  return tested == nullptr ? std::vector<KnownAnswersState>() : tested->known_answers();
}

std::shared_ptr<const evidence::KnownAnswersResult> known_answers_of(const Engine& engine, std::string_view model) {
  const auto* tested = dynamic_cast<const TestedEngine*>(&engine);
  return tested == nullptr ? nullptr : tested->known_answers_of(model);
}

TestRecord::TestRecord(std::shared_ptr<const GivenAnswers> answers, std::string server) : answers_(std::move(answers)) {
  state_.server = std::move(server);
  state_.model = answers_->document.model_id;
  state_.answers_digest = answers_->digest;
}

void TestRecord::note(const TrialOutcome& outcome, const std::optional<ByteArray<32>>& model_digest, UnixSeconds now) {
  const std::lock_guard lock(mutex_);
  if (outcome.finding == Finding::kInconclusive) return;
  state_.took = outcome.took;
  if (outcome.finding == Finding::kFailed) {
    ++state_.failures;
    return;
  }
  state_.last = result_of(answers_->document, answers_->digest, model_digest, outcome, now);
  if (state_.stage == TestStage::kFailed) return;
  state_.stage = TestStage::kPassed;
  result_ = std::make_shared<const evidence::KnownAnswersResult>(*state_.last);
}

void TestRecord::withdraw(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  state_.stage = TestStage::kFailed;
  state_.reason = reason;
  result_ = nullptr;
}

void TestRecord::reset() {
  const std::lock_guard lock(mutex_);
  state_.stage = TestStage::kPending;
  state_.reason.clear();
  result_ = nullptr;
}

KnownAnswersState TestRecord::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::shared_ptr<const evidence::KnownAnswersResult> TestRecord::result() const {
  const std::lock_guard lock(mutex_);
  return result_;
}

}  // namespace cloister::engine
