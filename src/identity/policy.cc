#include "identity/policy.h"

#include "evidence/key_configuration.h"
#include "evidence/measured_events.h"
#include "evidence/native_report.h"
#include "identity/measured_event.h"

namespace cloister::identity {

Result<void> enter_policy(const Json& policy, tee::Tee* tee, Identity& identity) {
  TRY(configuration, evidence::key_configuration_digest(policy));
  if (configuration != identity.key_configuration()) {
    return fail(
        ErrorCode::kUsage,
        "the node's keys belong to another configuration of engine, GPUs, listener, TEE or signing: start the node again");
  }
  TRY(digest, evidence::document_digest(policy));
  if (tee != nullptr) TRY_VOID(measure_event(*tee, evidence::kPolicyEvent, digest));
  return identity.set_policy(policy);
}

}  // namespace cloister::identity
