// Verifies the list of instances behind one address (`all_attestations`, docs/spec/legacy-proof.md).
#pragma once

#include "base/json.h"
#include "verify/context.h"
#include "verify/expected.h"
#include "verify/report/form.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds report.all_attestations and, for each listed instance other than `report` itself, all checks of that instance
// under "instance.N.", and the facts `instances` and `attested_addresses`.
void check_instances(const Json& object, const ServedReport& report, const Expected& expected, const Context& context,
                     Verdict& verdict);

// Adds the addresses to the fact `attested_addresses`.
void add_attested(Json& facts, const Json& addresses);

}  // namespace cloister::verify
