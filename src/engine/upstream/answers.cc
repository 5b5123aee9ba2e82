#include "engine/upstream/answers.h"

#include "evidence/json_reader.h"

namespace cloister::engine::upstream {
namespace {

// The digest of the weights in the identity that was made for this model.
std::optional<ByteArray<32>> measured_weights(const ModelInfo& model) {
  if (model.identity == nullptr) return std::nullopt;
  const auto identity = evidence::parse_model_identity(*model.identity);
  if (!identity || !identity->weights) return std::nullopt;
  return identity->weights->digest;
}

}  // namespace

Result<std::shared_ptr<const GivenAnswers>> Answers::find(const ModelInfo& model) {
  for (const auto& answers : given_) {
    if (answers->document.model_id != evidence::identity_text(model.id)) continue;
    const auto& recorded = answers->document.weights_digest;
    const auto measured = measured_weights(model);
    const std::lock_guard lock(mutex_);
    claimed_.insert(answers->document.model_id);
    if (!recorded || !measured || *recorded == *measured) return answers;
    misfit_ = "the known answers for " + answers->document.model_id + " are of the weights " +
              evidence::digest_text(*recorded) + ", and the files of --upstream-model-files have " +
              evidence::digest_text(*measured);
    return fail(ErrorCode::kModelFile, misfit_);
  }
  return std::shared_ptr<const GivenAnswers>();
}

std::string Answers::unclaimed() const {
  const std::lock_guard lock(mutex_);
  for (const auto& answers : given_) {
    if (!claimed_.contains(answers->document.model_id)) return answers->document.model_id;
  }
  return "";
}

std::string Answers::misfit() const {
  const std::lock_guard lock(mutex_);
  return misfit_;
}

}  // namespace cloister::engine::upstream
