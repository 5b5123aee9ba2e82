// Replay: asks the embedded engine again what an archived receipt is about, and compares the replies.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"
#include "evidence/aci/receipt.h"
#include "evidence/model_identity.h"
#include "verify/verdict.h"

namespace cloister::apps {

// What a receipt says about how the reply was made, and the bodies.
struct ReplayCase {
  engine::Route route = engine::Route::kChatCompletions;
  std::string request, response;
  std::string model_digest;       // "sha256:<hex>", of the event model.served
  Json sampling;                  // the event's sampling members
  evidence::ModelIdentity model;  // the identity with that digest
};

// Reads the case from the parts of an archive. The Error (kUnsupported) says what a replay lacks, or what does not fit together.
Result<ReplayCase> read_replay_case(const std::string& receipt, const std::string& request, const std::string& response,
                                    const Json& model_document);

// Computes the reply again and adds what verify::check_replayed() finds. `engine` is ready and serves the case's model.
Result<void> replay(engine::Engine& engine, const ReplayCase& asked, verify::Verdict& verdict);

}  // namespace cloister::apps
