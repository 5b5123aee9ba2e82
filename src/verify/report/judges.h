// One judge for each shape of a served report. The shape is decided once, by names that no two shapes share, so that
// two readers cannot take one text for two different reports.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "verify/report.h"

namespace cloister::verify {

enum class ReportShape {
  kLegacy,   // an address in report data (layouts L1 and L2, peers.md sections 1.1 to 1.4)
  kAci,      // a keyset in report data (layout A1, section 1.5)
  kNative,   // Cloister's statement (docs/spec/native-report.md)
  kWrapped,  // a gateway's: its own report and its models' (section 1.6)
  kAgent,    // a quote and its logs, as the guest's agent gives them: nobody's keys
};

// kBadReport for what is no object, and for one with the marks of two shapes.
Result<ReportShape> find_shape(const Json& object);

// The report of whatever shape. `object` need not be of any.
Verdict judge_report(const Json& object, const Expected& expected, const Context& context);

Verdict judge_legacy_report(const Json& object, const Expected& expected, const Context& context);
Verdict judge_aci_report(const Json& object, const Expected& expected, const Context& context);
Verdict judge_native_report(const Json& object, const Expected& expected, const Context& context);
Verdict judge_wrapped_report(const Json& object, const Expected& expected, const Context& context);
// Undetermined at best: such an answer binds nobody's keys.
Verdict judge_agent_answer(const Json& object, const Expected& expected, const Context& context);

// A legacy report without the list of instances that it may hold: itself alone.
Verdict judge_instance(const Json& object, const Expected& expected, const Context& context);

// How many reports of single instances `object` holds, itself included.
std::size_t count_instances(const Json& object);

}  // namespace cloister::verify
