// The parts that reports are made from. Everything that is pointed at outlives this object's owner.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "evidence/known_answers_result.h"
#include "gpu/gpu_evidence_source.h"
#include "identity/identity.h"
#include "identity/keyring.h"
#include "reports/evidence_metrics.h"
#include "reports/replicas.h"
#include "tee/tee.h"

namespace cloister::reports {

// Where the code comes from, as the operator says: next to the quote and not in it (ACI section 4.1). Empty: not stated.
struct SourceProvenance {
  std::string repo_url, repo_commit, image_digest;
  std::optional<ByteArray<32>> executable;  // SHA-256 of the running program
};

struct ReportParts {
  tee::Tee& tee;
  gpu::GpuEvidenceSource* gpu = nullptr;  // null: a node without GPU evidence
  const identity::Keyring& keyring;
  identity::Identity& identity;
  // The model's id, or "" while it loads.
  std::function<std::string()> model_name;
  // The known-answer tests that its models have passed; absent while one is still pending. Null: there are no tests.
  std::function<std::optional<std::vector<evidence::KnownAnswersResult>>()> known_answers = {};
  // A node that may serve without GPU evidence says so in its reports, with the reason; otherwise such a report fails.
  bool gpu_optional = false;
  EvidenceMetrics* metrics = nullptr;  // null: nothing is counted
  const Replicas* replicas = nullptr;  // null: none
  SourceProvenance source;
  // False: requests are passed on, and this TEE does not vouch for the server that answers.
  bool serves_itself = true;
  // Gets each epoch's report without a nonce, ACI's and the native one, once it is made: receipts are verified with it
  // when the node is gone. `kind` is as in to_text(ReportKind). Called on a worker thread; may be slow.
  std::function<void(const identity::Epoch& epoch, std::string_view kind, std::string_view report)> keep_report;
};

}  // namespace cloister::reports
