#include "apps/known_answers_parts.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"

namespace cloister::apps {
namespace {

constexpr std::string_view kNone = "none";
constexpr std::string_view kSuffix = ".answers.json";

Result<std::shared_ptr<const engine::GivenAnswers>> read_one(const std::string& path) {
  TRY(text, read_file(path, evidence::kMostKnownAnswersBytes));
  auto answers = engine::read_given_answers(text);
  if (!answers) return fail(ErrorCode::kUsage, path + " holds no known answers: " + answers.error().message);
  return answers;
}

}  // namespace

Result<AnswersList> read_known_answers(const config::ServeOptions& options) {
  AnswersList out;
  const bool none = std::ranges::find(options.known_answers, kNone) != options.known_answers.end();
  if (none) return out;
  for (const std::string& path : options.known_answers) {
    TRY(answers, read_one(path));
    for (const auto& other : out) {
      if (other->document.model_id == answers->document.model_id) {
        return fail(ErrorCode::kUsage, "--known-answers is given twice for the model " + answers->document.model_id);
      }
    }
    out.push_back(std::move(answers));
  }
  return out;
}

Result<std::shared_ptr<const engine::GivenAnswers>> answers_beside(const config::ServeOptions& options) {
  using Given = std::shared_ptr<const engine::GivenAnswers>;
  TRY(list, read_known_answers(options));
  if (list.size() > 1)
    return fail(ErrorCode::kUsage, "--known-answers may be given once with --model: one model is served");
  if (!list.empty()) return list.front();
  const std::string path = options.model_path + std::string(kSuffix);
  std::error_code ignored;
  if (!options.known_answers.empty() || options.model_path.empty() || !std::filesystem::exists(path, ignored))
    return Given();
  return read_one(path);
}

Result<bool> tests_models(const config::ServeOptions& options) {
  TRY(list, read_known_answers(options));
  if (!list.empty() || !options.upstreams.empty()) return !list.empty();
  TRY(beside, answers_beside(options));
  return beside != nullptr;
}

std::optional<std::vector<evidence::KnownAnswersResult>> passed_tests(const engine::Engine& engine) {
  std::vector<evidence::KnownAnswersResult> out;
  for (const engine::KnownAnswersState& state : engine::known_answers(engine)) {
    if (state.stage == engine::TestStage::kPending) return std::nullopt;
    if (state.stage == engine::TestStage::kFailed || !state.last) continue;
    // Several servers with one model give the oldest of their results, as in receipts.
    const auto same = std::ranges::find_if(out, [&](const auto& one) {
      return one.model_digest == state.last->model_digest && one.answers_digest == state.last->answers_digest;
    });
    if (same == out.end()) {
      out.push_back(*state.last);
    } else if (state.last->passed_at < same->passed_at) {
      *same = *state.last;
    }
  }
  return out;
}

}  // namespace cloister::apps
