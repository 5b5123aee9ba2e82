// What the event log of a report says about the documents that the report names: the model (`cloister-model`) and the
// configuration (`cloister-policy`); docs/spec/model-identity.md and docs/spec/policy.md.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "evidence/boot_evidence.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds model.event and policy.event, and the facts `model_events` and `policy_events`: what was measured, in order. The
// checks of the boot must be in `verdict` already: nothing is read from a log that is not authentic, and both are skipped.
void check_measured_events(const evidence::BootEvidence& boot, const std::optional<ByteArray<32>>& model_digest,
                           const std::optional<ByteArray<32>>& policy_digest, Verdict& verdict);

}  // namespace cloister::verify
