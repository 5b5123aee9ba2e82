// The exact values that a policy expects in a quote, as well as the checks that hold for every quote.
#pragma once

#include <optional>
#include <string>

#include "codec/tdx_quote.h"
#include "verify/policy.h"
#include "verify/tdx/pck_extension.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds every check tdx.expected.*. A check whose value the policy does not name does not apply. `pck` is the extension
// of the PCK leaf; without it the FMSPC cannot be compared. Pure; any thread.
void add_expected_checks(const codec::TdxQuote& quote, const std::optional<PckExtension>& pck, const TdxPolicy& policy,
                         Verdict& verdict);
void skip_expected_checks(const std::string& reason, Verdict& verdict);

}  // namespace cloister::verify
