// TestRecord: the state of the known-answer tests of one model on one server. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/known_answers/trial.h"
#include "evidence/known_answers.h"
#include "evidence/known_answers_result.h"

namespace cloister::engine {

// A parsed document, with its digest.
struct GivenAnswers {
  evidence::KnownAnswers document;
  ByteArray<32> digest{};
};
Result<std::shared_ptr<const GivenAnswers>> read_given_answers(std::string_view json_text);

enum class TestStage { kPending, kPassed, kFailed };

struct KnownAnswersState {
  std::string server;  // the URL of an upstream; empty for the embedded engine
  std::string model;
  ByteArray<32> answers_digest{};
  TestStage stage = TestStage::kPending;             // kFailed: the engine, or this server, takes no prompts
  std::string reason;                                // reason of kFailed
  std::optional<evidence::KnownAnswersResult> last;  // the last test that was passed
  std::uint64_t failures = 0;                        // tests, repetitions included
  std::chrono::milliseconds took{0};                 // duration of the last test
};

// What an engine whose models are tested implements as well as Engine.
class TestedEngine {
 public:
  virtual ~TestedEngine() = default;
  // One state for each model that has known answers and each server that has the model; empty where nobody gave answers. Any thread.
  virtual std::vector<KnownAnswersState> known_answers() const = 0;
  // The last test that this model passed: where several servers have the model, the oldest of their last ones. Null
  // where it is not tested. Any thread; called for each request.
  virtual std::shared_ptr<const evidence::KnownAnswersResult> known_answers_of(std::string_view model) const = 0;
};

// The known answers of any engine: empty for one that is no TestedEngine.
std::vector<KnownAnswersState> known_answers(const Engine& engine);
std::shared_ptr<const evidence::KnownAnswersResult> known_answers_of(const Engine& engine, std::string_view model);

class TestRecord {
 public:
  TestRecord(std::shared_ptr<const GivenAnswers> answers, std::string server);

  const std::shared_ptr<const GivenAnswers>& answers() const { return answers_; }
  void note(const TrialOutcome& outcome, const std::optional<ByteArray<32>>& model_digest, UnixSeconds now);
  void withdraw(const std::string& reason);
  // No test counts as passed any more, until the next one.
  void reset();

  KnownAnswersState state() const;
  // Null unless the stage is kPassed.
  std::shared_ptr<const evidence::KnownAnswersResult> result() const;

 private:
  const std::shared_ptr<const GivenAnswers> answers_;
  mutable std::mutex mutex_;
  KnownAnswersState state_;
  std::shared_ptr<const evidence::KnownAnswersResult> result_;
};

}  // namespace cloister::engine
