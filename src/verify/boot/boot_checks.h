// Verifies how a TD booted: the event logs against the quote, the identity against the log, and all of it against what
// the policy expects.
#pragma once

#include "codec/tdx_quote.h"
#include "evidence/boot_evidence.h"
#include "verify/context.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds every check boot.*, tdx.measurements and the facts that the log proves. `root` is the root of the quote's chain:
// a simulated TEE may run any code that the policy leaves open.
void check_boot(const evidence::BootEvidence& evidence, const codec::TdReport& report, RootKind root,
                const Context& context, Verdict& verdict);

// The same checks for evidence without registers (AMD SEV-SNP), which no log can be compared with. What the policy
// expects of a log is skipped and required, and so is everything where a policy that names no kind of TEE expects
// values of registers. snp.measurement verifies the launch measurement.
void add_boot_without_registers(const Policy& policy, Verdict& verdict);

// Adds the same checks as skipped, when none of them could be run.
void skip_boot(const std::string& reason, Verdict& verdict);

}  // namespace cloister::verify
