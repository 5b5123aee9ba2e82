// Checks that the values which the person who asks names can be compared with evidence of this kind. An option that
// nothing reads would be an answer to a question that was never asked.
#pragma once

#include "apps/verify/subject.h"

namespace cloister::apps {

// kUsage for the first given option that evidence of this kind has nothing to compare with: a file chooses its kind,
// and the options of `verify bundle` are those of all kinds. Malformed values are kUsage, whatever the kind.
Result<void> check_expectations(const Subject& subject, const VerifyOptions& options);

}  // namespace cloister::apps
