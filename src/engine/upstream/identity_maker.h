// IdentityMaker: what can be said of a model that another server computes, and who says it. Files that the operator names are
// hashed here; that the server loaded them is the operator's statement. What the server says of itself is the server's statement.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/engine.h"
#include "engine/upstream/probe.h"
#include "engine/upstream/upstream_options.h"
#include "engine/weights/weight_measurement.h"

namespace cloister::engine::upstream {

class IdentityMaker {
 public:
  // Opens the files and begins to hash them. Errors as in WeightFiles::open_all().
  static Result<std::unique_ptr<IdentityMaker>> make(const UpstreamOptions& options);

  // Gives each model its identity; new ones are passed to the hook first. Waits for the files' digest. Errors: a file
  // that has changed, or those of the hook. Any thread.
  Result<void> identify(Findings& findings);
  // Ends the wait.
  void stop();

 private:
  explicit IdentityMaker(const UpstreamOptions& options) : options_(options) {}
  evidence::ModelIdentity describe(const ModelInfo& model, const Findings& findings) const;
  struct Document {
    std::shared_ptr<const Json> json;  // null for a model beyond the limit of identities
    std::optional<ByteArray<32>> digest;
  };
  Result<Document> known(const evidence::ModelIdentity& identity);

  const UpstreamOptions& options_;
  std::shared_ptr<const WeightFiles> files_;  // null: no files were named
  std::unique_ptr<WeightMeasurement> measurement_;
  std::mutex mutex_;
  std::map<std::string, Document> told_;  // by their text
};

}  // namespace cloister::engine::upstream
