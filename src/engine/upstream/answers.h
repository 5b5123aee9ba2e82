// Answers: the known answers that an upstream engine was given, and which of its servers' models they belong to. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/known_answers/record.h"
#include "evidence/model_identity.h"

namespace cloister::engine::upstream {

class Answers {
 public:
  explicit Answers(std::vector<std::shared_ptr<const GivenAnswers>> given) : given_(std::move(given)) {}

  bool empty() const { return given_.empty(); }
  const std::vector<std::shared_ptr<const GivenAnswers>>& given() const { return given_; }
  // Null where the model is not tested. kModelFile when the answers are those of other weights than were measured; that
  // is also kept as the engine's failure.
  Result<std::shared_ptr<const GivenAnswers>> find(const ModelInfo& model);
  // The name of a model for which answers were given and which no server has listed yet; "" when there is none.
  std::string unclaimed() const;
  // Why the answers do not fit the weights; "" when they do.
  std::string misfit() const;

 private:
  const std::vector<std::shared_ptr<const GivenAnswers>> given_;
  mutable std::mutex mutex_;
  std::set<std::string> claimed_;  // models
  std::string misfit_;
};

}  // namespace cloister::engine::upstream
