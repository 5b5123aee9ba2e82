// The known answers that a node is told to expect.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/serve_options.h"
#include "engine/engine.h"
#include "engine/known_answers/record.h"
#include "evidence/known_answers_result.h"

namespace cloister::apps {

using AnswersList = std::vector<std::shared_ptr<const engine::GivenAnswers>>;

// Reads the documents of --known-answers. Errors name the file. Empty for none, and where the option is not given.
Result<AnswersList> read_known_answers(const config::ServeOptions& options);
// The document for the model that this node itself computes: the one of --known-answers, else the file next to the
// model. Null where there is neither: the model is not tested. An error where --known-answers names more than one.
Result<std::shared_ptr<const engine::GivenAnswers>> answers_beside(const config::ServeOptions& options);

// True when the models of this node are tested: when one of the two functions above finds a document.
Result<bool> tests_models(const config::ServeOptions& options);

// What reports say: the results of all models that are tested; absent while one has yet to pass its first test.
std::optional<std::vector<evidence::KnownAnswersResult>> passed_tests(const engine::Engine& engine);

}  // namespace cloister::apps
