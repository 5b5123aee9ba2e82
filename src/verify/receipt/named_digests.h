// Checks what a receipt itself names by digest: the model that answered, and the configuration that was in force. Keys
// outlive restarts, so a report tells only about its own time.
#pragma once

#include "evidence/aci/receipt.h"
#include "verify/policy.h"
#include "verify/receipt/established.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds receipt.model_digest and receipt.policy_digest. Each digest must be the one that the report binds, where the report
// names one, and one of the policy's `model_digests` and `policy_digests`, whatever the form of the report. Where a receipt
// leaves out a digest which the policy (or its model manifest) asks about, the check is skipped and required.
void check_named_digests(const evidence::Receipt& receipt, const Established& established, const Policy& policy,
                         Verdict& verdict);

// The first event of a type; null where there is none.
const evidence::ReceiptEvent* find_event(const evidence::Receipt& receipt, std::string_view type);
// A member of an event; "none" where it is no text.
std::string event_text(const Json& fields, const char* name);
// True when another server's reply need not name a model, such as the reply of a service for sound.
bool tells_no_model(const Json& served);

}  // namespace cloister::verify
