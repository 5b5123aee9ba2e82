// Verifies the evidence that other services serve in forms of their own (docs/spec/foreign-reports.md). Private to verify.
#pragma once

#include <string_view>

#include "base/json.h"
#include "evidence/boot_evidence.h"
#include "evidence/services/tinfoil.h"
#include "verify/context.h"
#include "verify/expected.h"
#include "verify/report/form.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// `text` is the document as served: parts of it are hashed and signed as they stand.
Verdict judge_tinfoil_document(std::string_view text, const Json& object, const Expected& expected,
                               const Context& context);

// Adds the checks of a version 3 document that need its text: report.tls_certificate, report.document_signature,
// report.gpu_evidence_digest and report.switch_evidence_digest. `bound`: report data binds what the document names.
void check_tinfoil_parts(const evidence::TinfoilDocument& document, bool bound, Verdict& verdict);

Verdict judge_chutes_report(const Json& object, const Expected& expected, const Context& context);

// Verifies what NEAR's nodes add to a legacy report: report.ohttp_key, the key for oblivious requests, which the signing
// key signs, and report.compose_manager, what was deployed since the machine started, which a second quote of the same
// machine binds. Adds nothing for a report that has neither. `address_bound`: report data binds the signing address.
void check_near_parts(const Json& object, const ServedReport& report, bool address_bound, const Expected& expected,
                      RootKind root, const Context& context, Verdict& verdict);

}  // namespace cloister::verify
