// Compares the model that a report names with the one that the verifier expects (docs/spec/model-identity.md).
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/json.h"
#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::verify {

// With a manifest in the policy: adds model.document and the checks of its members. `document` may be null; `bound` is
// the digest that a quote binds.
void check_model_manifest(const Json& document, const std::optional<ByteArray<32>>& bound, const Policy& policy,
                          Verdict& verdict);

// Adds the checks of the members alone: model.id to model.claims.
void compare_models(const evidence::ModelIdentity& expected, const evidence::ModelIdentity& actual, Verdict& verdict);

// For reports that say nothing about a model: a manifest that was compared with nothing must not lead to a yes.
void require_model(const Policy& policy, Verdict& verdict);

}  // namespace cloister::verify
