#include "engine/upstream/identity_maker.h"

#include "codec/json.h"
#include "evidence/model_identity.h"
#include "evidence/native_report.h"

namespace cloister::engine::upstream {
namespace {

// Each identity is an event in a register that cannot be reset. A server that keeps inventing models gets no more of them.
constexpr std::size_t kMostIdentities = 64;

evidence::ModelClaim claim(const char* status, const char* source, const std::string& reason) {
  return {status, source, evidence::identity_text(reason), std::nullopt};
}

}  // namespace

Result<std::unique_ptr<IdentityMaker>> IdentityMaker::make(const UpstreamOptions& options) {
  std::unique_ptr<IdentityMaker> maker(new IdentityMaker(options));
  if (options.model_files.empty()) return maker;
  TRY(files, WeightFiles::open_all(options.model_files));
  maker->files_ = files;
  // Not locked: the server has read the files, or will read them, into memory of its own.
  maker->measurement_ = std::make_unique<WeightMeasurement>(std::move(files), MeasureOptions{});
  return maker;
}

void IdentityMaker::stop() {
  if (measurement_) measurement_->stop();
}

evidence::ModelIdentity IdentityMaker::describe(const ModelInfo& model, const Findings& findings) const {
  evidence::ModelIdentity out;
  out.id = evidence::identity_text(model.id.empty() ? "unnamed" : model.id);
  out.engine = {"upstream", CLOISTER_VERSION, {}, {}, {}};
  if (model.context_length != 0) out.context_length = model.context_length;
  out.claims["model_id"] = claim("asserted", "provider_asserted", "the server lists a model of this name");
  if (options_.serving_software) {
    out.claims["serving_software"] = *options_.serving_software;
  } else {
    const std::string server = findings.kind.empty() ? "" : findings.kind + " " + findings.version;
    out.claims["serving_software"] =
        server.empty() ? claim("unknown", "provider_asserted", "the server does not say what it is")
                       : claim("asserted", "provider_asserted", "the server says that it is " + server);
  }
  out.claims["weights"] =
      files_ ? claim("asserted", "operator_asserted",
                     "this node hashed the files; that the server computes with them is the operator's word")
             : claim("unknown", "operator_asserted", "no files were named: nobody has measured the weights");
  return out;
}

Result<IdentityMaker::Document> IdentityMaker::known(const evidence::ModelIdentity& identity) {
  auto json = std::make_shared<const Json>(evidence::to_json(identity));
  const std::string text = codec::write_json(*json);
  const std::lock_guard lock(mutex_);
  if (const auto found = told_.find(text); found != told_.end()) return found->second;
  if (told_.size() == kMostIdentities) return Document();
  TRY(digest, evidence::document_digest(*json));
  if (options_.on_identity) TRY_VOID(options_.on_identity(*json));
  const Document document{std::move(json), digest};
  told_.emplace(text, document);
  return document;
}

Result<void> IdentityMaker::identify(Findings& findings) {
  std::optional<evidence::Weights> weights;
  if (measurement_) {
    TRY(measured, measurement_->wait());
    weights = std::move(measured);
    TRY_VOID(files_->check_unchanged());
  }
  for (ModelInfo& model : findings.models) {
    evidence::ModelIdentity identity = describe(model, findings);
    identity.weights = weights;
    TRY(document, known(identity));
    model.identity = std::move(document.json);
    model.identity_digest = document.digest;
  }
  return {};
}

}  // namespace cloister::engine::upstream
