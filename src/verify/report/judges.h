// One function for each shape of a served report. The shape is decided once, by names that no two shapes share, so that
// two readers cannot take one text for two different reports.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "verify/context.h"
#include "verify/expected.h"
#include "verify/verdict.h"

namespace cloister::verify {

enum class ReportShape {
  kLegacy,     // an address in report data (layouts L1 and L2, docs/spec/legacy-proof.md)
  kAci,        // a keyset in report data (layout A1, ACI `aci/1`)
  kNative,     // Cloister's statement (docs/spec/native-report.md)
  kWrapped,    // a gateway's: its own report and its models' reports
  kAgent,      // a quote and its logs, as the guest's agent gives them; it binds nobody's keys
  kTinfoil,    // layouts T2 and T3 (docs/spec/foreign-reports.md)
  kChutes,     // layout C1
  kVersioned,  // dstack's versioned attestation; it binds nobody's keys either
  kAzure,      // a virtual TPM's evidence
};

// kBadReport for an object with the marks of two shapes, kUnsupported for one with the marks of no known shape.
Result<ReportShape> find_shape(const Json& object);

// Verifies a report of any shape. `object` may be no report at all. `text` is the same as it was served, and empty
// where only the object is known: a form whose text is hashed or signed is then refused.
Verdict judge_report(const Json& object, std::string_view text, const Expected& expected, const Context& context);

// The fact gpu_evidence_error: the node's own statement, for people, why it shows no GPU evidence. Nothing binds it.
void add_gpu_note(const Json& object, Verdict& verdict);
Verdict judge_legacy_report(const Json& object, const Expected& expected, const Context& context);
Verdict judge_aci_report(const Json& object, const Expected& expected, const Context& context);
Verdict judge_native_report(const Json& object, const Expected& expected, const Context& context);
Verdict judge_wrapped_report(const Json& object, const Expected& expected, const Context& context);
// The verdict is undetermined at best, since such an answer binds nobody's keys.
Verdict judge_agent_answer(const Json& object, const Expected& expected, const Context& context);
Verdict judge_versioned_attestation(const Json& object, const Expected& expected, const Context& context);
// Checks the hex text of a versioned attestation; kUnsupported for a version or a machine that this verifier does not read.
Result<void> check_versioned_form(const Json& object);

Verdict judge_azure_evidence(const Json& object, const Expected& expected, const Context& context);
// kUnsupported for a version that this verifier does not read.
Result<void> check_azure_form(const Json& object);

// Verifies a legacy report alone, without the list of instances that it may hold.
Verdict judge_instance(const Json& object, const Expected& expected, const Context& context);

// How many reports of single instances `object` holds, including itself.
std::size_t count_instances(const Json& object);

}  // namespace cloister::verify
